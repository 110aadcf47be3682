#include "ext/pack.h"

#include "base/fs.h"
#include "base/proc.h"

#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 3 * 1000 * 1000 };

/* Bytes that can be checked by where they are, and do not repeat soon. */
static char byte_at(size_t i)
{
    return (char)((i * 2654435761U) >> 13);
}

struct flow {
    size_t fed, taken, fail_feed_at, fail_take_at;
    bool wrong;
};

static bool feed(void *context, char *buffer, size_t max, size_t *n, struct err *e)
{
    struct flow *f = context;
    if (f->fail_feed_at > 0 && f->fed >= f->fail_feed_at)
        return err_set(e, ERR_DAMAGED, "torn");
    *n = BYTES - f->fed < max ? BYTES - f->fed : max;
    for (size_t i = 0; i < *n; i++)
        buffer[i] = byte_at(f->fed + i);
    f->fed += *n;
    return true;
}

static bool take(void *context, const char *bytes, size_t n, struct err *e)
{
    struct flow *f = context;
    for (size_t i = 0; i < n; i++)
        f->wrong = f->wrong || bytes[i] != byte_at(f->taken + i);
    f->taken += n;
    return f->fail_take_at == 0 || f->taken < f->fail_take_at ||
           err_set(e, ERR_SYSTEM, "disk full");
}

TEST(a_child_is_fed_and_emptied)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct flow f = {0};
    const struct proc_spec spec = {
        .argv = (const char *const[]){"sh", "-c", "cat; echo done >&2; exit 5", NULL},
        .timeout_ms = 60000,
        .out_max = 16,
        .feed = feed,
        .take = take,
        .context = &f,
    };
    CHECK(proc_run(a, &spec, &r, &e));
    CHECK(r.exit_status == 5 && f.fed == BYTES && f.taken == BYTES && !f.wrong);
    CHECK_STR(r.out, "");
    CHECK_STR(r.err, "done\n");
}

/* What follows the end of input must not happen when the input could not be read to its end. */
TEST(a_failing_feed_is_no_end_of_input)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct flow f = {.fail_feed_at = BYTES / 2};
    const char *file = arena_printf(a, "/tmp/migsafe-pack-%d", (int)getpid());
    const struct proc_spec spec = {
        .argv = (const char *const[]){"sh", "-c", "cat >/dev/null; echo end >\"$0\"", file, NULL},
        .timeout_ms = 60000,
        .feed = feed,
        .context = &f,
    };
    CHECK(!proc_run(a, &spec, &r, &e));
    CHECK(e.kind == ERR_DAMAGED && strstr(e.message, "torn") != NULL);
    CHECK(!fs_exists(file));
    unlink(file);
}

TEST(a_failing_take_ends_the_child)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct flow f = {.fail_take_at = BYTES / 2};
    const struct proc_spec spec = {
        .argv = (const char *const[]){"cat", NULL},
        .timeout_ms = 60000,
        .feed = feed,
        .take = take,
        .context = &f,
    };
    CHECK(!proc_run(a, &spec, &r, &e));
    CHECK(e.kind == ERR_SYSTEM && strstr(e.message, "disk full") != NULL);
}

TEST(a_child_may_leave_its_input)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct flow f = {0};
    const struct proc_spec spec = {
        .argv = (const char *const[]){"sh", "-c", "exec <&-; sleep 0.2; exit 3", NULL},
        .timeout_ms = 60000,
        .feed = feed,
        .context = &f,
    };
    signal(SIGPIPE, SIG_IGN);
    CHECK(proc_run(a, &spec, &r, &e));
    CHECK(r.exit_status == 3 && f.fed < BYTES);
}

static bool write_file(struct arena *a, const char *path, bool gzip, size_t bytes)
{
    struct err e = {0};
    AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    AUTO(pack) struct pack *p = pack_open(a, fd, gzip, "the file", &e);
    char *all = arena_alloc(a, bytes + 1);
    for (size_t i = 0; i < bytes; i++)
        all[i] = byte_at(i);
    bool ok = p != NULL;
    for (size_t at = 0; ok && at < bytes; at += 100000)
        ok = pack_write(p, all + at, bytes - at < 100000 ? bytes - at : 100000, &e);
    return ok && pack_finish(p, &e);
}

/* How much of it is read, and how that ends. */
static size_t read_file(struct arena *a, const char *path, struct err *e)
{
    char piece[70000];
    size_t total = 0;
    *e = (struct err){0};
    AUTO(unpack) struct unpack *u = unpack_open(a, path, "the file", e);
    for (size_t n = 1; u != NULL && n > 0;) {
        if (!unpack_read(u, piece, sizeof(piece), &n, e))
            break;
        for (size_t i = 0; i < n; i++)
            if (piece[i] != byte_at(total + i))
                return 0;
        total += n;
    }
    return total;
}

TEST(packed_and_plain)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e;
    struct stat st;
    const char *path = arena_printf(a, "/tmp/migsafe-pack-%d", (int)getpid());
    CHECK(write_file(a, path, true, BYTES));
    CHECK(read_file(a, path, &e) == BYTES && e.kind == ERR_NONE);
    CHECK(stat(path, &st) == 0 && st.st_size > 100);

    /* Cut off: what is there, then that it is torn. */
    CHECK(truncate(path, st.st_size - 9) == 0);
    CHECK(read_file(a, path, &e) <= BYTES && e.kind == ERR_DAMAGED);
    CHECK_STR(e.message, "the file is cut off: its gzip stream has no end");
    CHECK(truncate(path, st.st_size / 2) == 0);
    CHECK(read_file(a, path, &e) > 0 && e.kind == ERR_DAMAGED);

    CHECK(write_file(a, path, false, BYTES));
    CHECK(stat(path, &st) == 0 && st.st_size == BYTES);
    CHECK(read_file(a, path, &e) == BYTES && e.kind == ERR_NONE);
    CHECK(write_file(a, path, true, 0));
    CHECK(read_file(a, path, &e) == 0 && e.kind == ERR_NONE);
    CHECK(write_file(a, path, false, 0));
    CHECK(read_file(a, path, &e) == 0 && e.kind == ERR_NONE);
    unlink(path);
    CHECK(read_file(a, path, &e) == 0 && e.kind == ERR_NOT_FOUND);
}

TEST(a_wrong_sum_is_damage)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e;
    struct stat st;
    const char *path = arena_printf(a, "/tmp/migsafe-pack-%d", (int)getpid());
    CHECK(write_file(a, path, true, 1000) && stat(path, &st) == 0);
    AUTO(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(pwrite(fd, "\1\2\3\4", 4, st.st_size - 8) == 4);
    (void)!read_file(a, path, &e);
    CHECK(e.kind == ERR_DAMAGED);
    CHECK_STR(e.message, "the file is damaged: incorrect data check");
    unlink(path);
}

TEST(a_full_disk_is_told)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    AUTO(fd) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    AUTO(pack) struct pack *p = pack_open(a, fd, false, "the file", &e);
    CHECK(p != NULL && (!pack_write(p, "x", 1, &e) || !pack_finish(p, &e)));
    CHECK_STR(e.message, "could not write the file: No space left on device");
}
