#include "core/backup/sync.h"

#include "base/arena.h"
#include "base/fs.h"
#include "base/pool.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static atomic_int synced;
static atomic_int fails_at; /* the how manieth fsync; 0: none */

/* Instead of libc's. */
int fsync(int fd UNUSED)
{
    if (atomic_fetch_add(&synced, 1) + 1 != atomic_load(&fails_at))
        return 0;
    errno = EIO;
    return -1;
}

enum { FILES = 50 };

static void make_file(const char *path)
{
    AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        abort();
}

static struct sync some_files(struct arena *a)
{
    struct sync s = {.files = arena_array(a, FILES, sizeof(*s.files)), .count = FILES};
    atomic_store(&synced, 0);
    atomic_store(&fails_at, 0);
    for (size_t i = 0; i < FILES; i++) {
        s.files[i].path = arena_printf(a, "/tmp/migsafe-sync-%d-%zu", (int)getpid(), i);
        make_file(s.files[i].path);
    }
    return s;
}

static size_t done_of(const struct sync *s)
{
    size_t done = 0;
    for (size_t i = 0; i < s->count; i++)
        done += s->files[i].done;
    return done;
}

static void remove_files(const struct sync *s)
{
    for (size_t i = 0; i < s->count; i++)
        unlink(s->files[i].path);
}

static const atomic_bool never = false;

static bool work(void *context, int worker UNUSED, struct err *e)
{
    return sync_some(context, &never, e);
}

TEST(each_file_is_waited_for_once)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct sync s = some_files(a);
    const struct pool_spec pool = {.threads = 3, .work = work, .context = &s};
    CHECK(pool_run(&pool, &e));
    CHECK(atomic_load(&synced) == FILES && done_of(&s) == FILES);
    remove_files(&s);
}

TEST(a_file_that_was_not_waited_for_is_not_done)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    const atomic_bool enough = true;
    struct sync s = some_files(a);
    CHECK(sync_some(&s, &enough, &e));
    CHECK(atomic_load(&synced) == 0 && done_of(&s) == 0);
    /* What stopped may go on. */
    CHECK(sync_some(&s, &never, &e) && done_of(&s) == FILES);
    remove_files(&s);
}

TEST(what_the_disk_does_not_take_is_told)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct sync s = some_files(a);
    atomic_store(&fails_at, 8);
    CHECK(!sync_some(&s, &never, &e));
    CHECK(e.kind == ERR_SYSTEM && done_of(&s) == 7 && !s.files[7].done);
    CHECK_STR(e.message,
              arena_printf(a, "could not write \"%s\": Input/output error", s.files[7].path));
    remove_files(&s);
    e = (struct err){0};
    struct sync gone = {.files = s.files, .count = FILES};
    CHECK(!sync_some(&gone, &never, &e));
    CHECK(e.kind == ERR_SYSTEM && strstr(e.message, s.files[0].path) != NULL);
}
