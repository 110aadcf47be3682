#include "core/journal.h"

#include "base/clock.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { JOURNAL_MAX_BYTES = 64 * 1024 * 1024 };

struct journal {
    struct arena *arena;
    const char *run, *command, *folder, *path;
    int fd;
    int64_t sequence;
};

static const char *runs_folder(struct arena *a, const char *state_dir)
{
    return fs_join(a, state_dir, "runs");
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    fd_close(j->fd);
    arena_free(j->arena);
    free(j);
}

/* Where the file system has no locks there is none: only `recover` asks for it. */
static bool lock(struct journal *j, struct err *e)
{
    if (flock(j->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return true;
    err_set(e, ERR_BUSY, "run %s is still at work on this machine", j->run);
    err_hint(e, "Wait for its end.");
    return false;
}

static bool create(struct journal *j, struct err *e)
{
    if (!fs_mkdirs(j->arena, j->folder, e))
        return false;
    j->fd = open(j->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (j->fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not create \"%s\"", j->path);
    return lock(j, e) && fs_sync_dir(j->folder, e) &&
           fs_sync_dir(fs_dirname(j->arena, j->folder), e);
}

static struct journal *make(const char *state_dir, const char *run, const char *command,
                            struct err *e)
{
    struct journal *j = calloc(1, sizeof(*j));
    if (j == NULL) {
        err_sys(e, ERR_SYSTEM, "could not open a journal");
        return NULL;
    }
    j->fd = -1;
    j->arena = arena_new();
    j->run = arena_strdup(j->arena, run);
    j->command = arena_strdup(j->arena, command);
    j->folder = fs_join(j->arena, runs_folder(j->arena, state_dir), run);
    j->path = fs_join(j->arena, j->folder, "journal.jsonl");
    return j;
}

struct journal *journal_open(const char *state_dir, const char *run, const char *command,
                             struct err *e)
{
    AUTO(journal) struct journal *j = make(state_dir, run, command, e);
    return j != NULL && create(j, e) ? TAKE(j) : NULL;
}

/* Of the line that ends at, or reaches over, end. */
static size_t line_start(const char *text, size_t end)
{
    while (end > 0 && text[end - 1] != '\n')
        end--;
    return end;
}

/* What a crash left of a record that was never finished. */
static bool cut_torn_line(struct journal *j, struct err *e)
{
    char *text;
    size_t length;
    if (!fs_read(j->arena, j->path, JOURNAL_MAX_BYTES, &text, &length, e))
        return false;
    size_t whole = line_start(text, length), last = whole == 0 ? 0 : line_start(text, whole - 1);
    struct err broken = {0};
    struct json *record = json_parse(text + last, whole - last, &broken);
    if (record == NULL && whole > 0)
        whole = last;
    json_free(record);
    return whole == length || ftruncate(j->fd, (off_t)whole) == 0 ||
           err_sys(e, ERR_SYSTEM, "could not cut off the end of \"%s\"", j->path);
}

struct journal *journal_continue(const char *state_dir, const char *run, const char *command,
                                 struct err *e)
{
    struct journal_run r;
    AUTO(journal) struct journal *j = make(state_dir, run, command, e);
    if (j == NULL || !journal_read(j->arena, state_dir, j->run, &r, e))
        return NULL;
    size_t count = json_count(r.records);
    j->sequence = count == 0 ? 0 : json_int(json_at(r.records, count - 1), "seq", 0);
    json_free(r.records);
    j->fd = open(j->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (j->fd < 0) {
        err_sys(e, ERR_SYSTEM, "could not open \"%s\"", j->path);
        return NULL;
    }
    return lock(j, e) && cut_torn_line(j, e) ? TAKE(j) : NULL;
}

bool journal_write(struct journal *j, const char *step, const char *event, struct json *data,
                   const struct err *error, struct err *e)
{
    AUTO(arena) struct arena *scratch = arena_new();
    AUTO(json) struct json *record = json_object();
    json_put_int(record, "v", JOURNAL_VERSION);
    json_put_int(record, "seq", ++j->sequence);
    json_put(record, "at", clock_rfc3339(scratch));
    json_put(record, "run", j->run);
    json_put(record, "command", j->command);
    json_put(record, "step", step);
    json_put(record, "event", event);
    json_put_node(record, "data", data == NULL ? json_object() : data);
    if (error != NULL)
        json_put_err(record, "error", error);
    const char *line = arena_printf(scratch, "%s\n", json_text(scratch, record));
    return fs_append_synced(j->fd, line, strlen(line), j->path, e);
}

const char *journal_run(const struct journal *j)
{
    return j->run;
}

const char *journal_folder(const struct journal *j)
{
    return j->folder;
}

/* The records of one file.  A crash may leave a broken last line; a broken one before it means that
 * somebody else wrote there. */
static bool parse_records(const char *path, const char *text, struct json *records, struct err *e)
{
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        if (end == NULL)
            return true;
        struct json *record = json_parse(text, (size_t)(end - text), e);
        if (record == NULL)
            return end[1] == '\0' || err_wrap(e, "journal \"%s\" is damaged", path);
        int64_t version = json_int(record, "v", -1);
        json_push_node(records, record);
        if (version != JOURNAL_VERSION) {
            err_set(e, ERR_DAMAGED, "journal \"%s\" has format %lld", path, (long long)version);
            err_hint(e, "This migsafe reads format %d: use the version that wrote it.",
                     JOURNAL_VERSION);
            return false;
        }
        text = end + 1;
    }
    return true;
}

static bool is_progress(struct arena *a, const struct json *record, struct journal_progress *p)
{
    const struct json *j = json_find(json_find(record, "data"), "progress");
    if (j == NULL)
        return false;
    *p = (struct journal_progress){
        .doing = arena_strdup(a, json_str(j, "doing", "")),
        .at = arena_strdup(a, json_str(record, "at", "")),
        .done = json_int(j, "done", 0),
        .total = json_int(j, "total", 0),
        .rate = json_int(j, "rate", 0),
        .left_ms = json_int(j, "left_ms", -1),
        .rows = json_int(j, "rows", 0),
    };
    return true;
}

static void summarise(struct arena *a, struct journal_run *r)
{
    r->exit_status = -1;
    for (size_t i = 0; i < json_count(r->records); i++) {
        const struct json *record = json_at(r->records, i);
        const char *event = json_str(record, "event", "");
        if (is_progress(a, record, &r->progress))
            continue;
        r->progress = (struct journal_progress){0};
        r->last_step = arena_strdup(a, json_str(record, "step", ""));
        r->last_event = arena_strdup(a, event);
        r->ended_at = arena_strdup(a, json_str(record, "at", ""));
        const struct json *data = json_find(record, "data");
        if (r->command == NULL) {
            r->command = arena_strdup(a, json_str(record, "command", ""));
            r->started_at = r->ended_at;
        }
        const char *decision = json_str(data, "decision", NULL);
        if (strcmp(r->last_step, "recover") == 0 && decision != NULL)
            r->decision = arena_strdup(a, decision);
        if (strcmp(event, "verdict") == 0) {
            r->verdict = arena_strdup(a, json_str(data, "verdict", ""));
            r->exit_status = (int)json_int(data, "exit", -1);
        }
    }
}

bool journal_read(struct arena *a, const char *state_dir, const char *run, struct journal_run *r,
                  struct err *e)
{
    const char *folder = fs_join(a, runs_folder(a, state_dir), run);
    const char *path = fs_join(a, folder, "journal.jsonl");
    char *text;
    *r = (struct journal_run){.run = run, .exit_status = -1};
    if (strchr(run, '/') != NULL || !fs_is_dir(folder))
        return err_set(e, ERR_NOT_FOUND, "no run \"%s\" in \"%s\"", run, state_dir);
    if (!fs_read(a, path, JOURNAL_MAX_BYTES, &text, NULL, e))
        return false;
    AUTO(json) struct json *records = json_array();
    if (!parse_records(path, text, records, e))
        return false;
    r->records = records;
    summarise(a, r);
    records = NULL;
    return true;
}

const struct json *journal_first(const struct json *records, const char *step, const char *event)
{
    for (const struct json *r = json_first(records); r != NULL; r = json_next(r))
        if (strcmp(json_str(r, "step", ""), step) == 0 &&
            strcmp(json_str(r, "event", ""), event) == 0)
            return r;
    return NULL;
}

const struct json *journal_last(const struct json *records, const char *step, const char *event)
{
    const struct json *last = NULL;
    for (const struct json *r = json_first(records); r != NULL; r = json_next(r))
        if (strcmp(json_str(r, "step", ""), step) == 0 &&
            strcmp(json_str(r, "event", ""), event) == 0)
            last = r;
    return last;
}

bool journal_is_held(struct arena *a, const char *state_dir, const char *run)
{
    const char *path = fs_join(a, fs_join(a, runs_folder(a, state_dir), run), "journal.jsonl");
    AUTO(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

bool journal_may_be_open(const char *state_dir, const char *run)
{
    AUTO(arena) struct arena *scratch = arena_new();
    struct err unreadable = {0};
    const char *folder = fs_join(scratch, runs_folder(scratch, state_dir), run);
    char *text;
    if (!fs_read(scratch, fs_join(scratch, folder, "journal.jsonl"), JOURNAL_MAX_BYTES, &text, NULL,
                 &unreadable))
        return true;
    return strstr(text, "\"event\":\"verdict\"") == NULL ||
           strstr(text, "\"verdict\":\"broken\"") != NULL;
}

bool journal_list(struct arena *a, const char *state_dir, struct strlist *runs, struct err *e)
{
    struct strlist found = strlist_on(a);
    *runs = strlist_on(a);
    const char *folder = runs_folder(a, state_dir);
    if (fs_is_dir(folder) && !fs_list(a, folder, FS_DIRS, &found, e))
        return false;
    for (size_t i = 0; i < found.count; i++)
        if (fs_exists(fs_join(a, fs_join(a, folder, found.items[i]), "journal.jsonl")))
            strlist_add(runs, found.items[i]);
    return true;
}
