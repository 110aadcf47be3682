#include "base/fs.h"
#include "core/journal.h"
#include "core/progress_note.h"

#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static char *state_folder(struct arena *a)
{
    char *dir = arena_strdup(a, "/tmp/ms-journal.XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    return dir;
}

static void append(struct arena *a, const char *dir, const char *run, const char *text)
{
    const char *path = arena_printf(a, "%s/runs/%s/journal.jsonl", dir, run);
    AUTO(fd) int fd = open(path, O_WRONLY | O_APPEND);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void write_two(struct arena *a, const char *dir, struct err *e)
{
    AUTO(journal) struct journal *j = journal_open(dir, "20261120_194609_ab12", "deploy", e);
    struct err cause = {0};
    err_set(&cause, ERR_QUERY, "no");
    CHECK(j != NULL && journal_write(j, "migrate", "begin", NULL, NULL, e));
    struct json *data = json_object();
    json_put(data, "verdict", "restored");
    json_put_int(data, "exit", 20);
    CHECK(journal_write(j, "run", "verdict", data, &cause, e));
    CHECK_STR(journal_folder(j), arena_printf(a, "%s/runs/20261120_194609_ab12", dir));
}

TEST(journal_is_read_back)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = state_folder(a);
    struct journal_run r;
    struct strlist runs;
    write_two(a, dir, &e);
    CHECK(journal_read(a, dir, "20261120_194609_ab12", &r, &e));
    CHECK_STR(r.verdict, "restored");
    CHECK_STR(r.last_step, "run");
    CHECK_STR(r.command, "deploy");
    CHECK(r.exit_status == 20 && json_count(r.records) == 2);
    CHECK(json_int(json_at(r.records, 1), "seq", 0) == 2);
    CHECK_STR(json_str(json_find(json_at(r.records, 1), "error"), "message", ""), "no");
    json_free(r.records);
    CHECK(journal_list(a, dir, &runs, &e) && runs.count == 1);
    CHECK(journal_open(dir, "20261120_194609_ab12", "deploy", &e) == NULL);
    CHECK(fs_remove_tree(a, dir, &e));
}

TEST(journal_survives_a_torn_last_line)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = state_folder(a);
    struct journal_run r;
    write_two(a, dir, &e);
    append(a, dir, "20261120_194609_ab12", "{\"v\":1,\"seq\":3,\"ev");
    CHECK(journal_read(a, dir, "20261120_194609_ab12", &r, &e) && json_count(r.records) == 2);
    json_free(r.records);
    append(a, dir, "20261120_194609_ab12", "\n{\"v\":1}\n");
    CHECK(!journal_read(a, dir, "20261120_194609_ab12", &r, &e) && e.kind == ERR_DAMAGED);
    CHECK(fs_remove_tree(a, dir, &e));
}

/* A disk that is full takes the part of a record for which it has room. */
static void write_without_room(struct journal *j, rlim_t room)
{
    struct err e = {0};
    struct rlimit was, little;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &was) == 0);
    little = (struct rlimit){.rlim_cur = room, .rlim_max = was.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &little) == 0);
    bool written = journal_write(j, "backup", "note", NULL, NULL, &e);
    CHECK(setrlimit(RLIMIT_FSIZE, &was) == 0);
    signal(SIGXFSZ, handler);
    CHECK(!written && e.kind == ERR_SYSTEM);
}

TEST(journal_goes_on_after_a_full_disk)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = state_folder(a), *text;
    struct journal_run r;
    size_t length;
    AUTO(journal)
    struct journal *j = journal_open(dir, "20261120_194609_ab12", "deploy", &e);
    CHECK(j != NULL && journal_write(j, "backup", "begin", NULL, NULL, &e));
    const char *path = fs_join(a, journal_folder(j), "journal.jsonl");
    CHECK(fs_read(a, path, 4096, &text, &length, &e));
    write_without_room(j, length + 20);
    CHECK(journal_write(j, "backup", "failed", NULL, NULL, &e));
    CHECK(journal_write(j, "run", "verdict", NULL, NULL, &e));
    CHECK(journal_read(a, dir, "20261120_194609_ab12", &r, &e) && json_count(r.records) == 3);
    json_free(r.records);
    CHECK(fs_remove_tree(a, dir, &e));
}

TEST(journal_tells_progress_apart_from_the_rest)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = state_folder(a);
    struct journal_run r;
    const struct progress_now now = {.doing = "backup",
                                     .done = 30,
                                     .total = 120,
                                     .rate = 10,
                                     .left_ms = 9000,
                                     .rows = 3,
                                     .elapsed_ms = 2500};
    AUTO(journal) struct journal *j = journal_open(dir, "20261120_194609_ab12", "deploy", &e);
    CHECK(j != NULL && journal_write(j, "backup", "begin", NULL, NULL, &e));
    struct progress_note n = progress_note_to(j, "backup", NULL);
    const struct progress *p = progress_note_of(&n);
    CHECK(p->table == NULL && p->say(p->context, &now, &e));
    CHECK(journal_read(a, dir, "20261120_194609_ab12", &r, &e) && json_count(r.records) == 2);
    json_free(r.records);
    CHECK_STR(r.last_event, "begin");
    CHECK_STR(r.ended_at, r.started_at);
    CHECK_STR(r.progress.doing, "backup");
    CHECK(r.progress.done == 30 && r.progress.total == 120 && r.progress.rate == 10);
    CHECK(r.progress.left_ms == 9000 && r.progress.rows == 3 && r.progress.at != NULL);

    CHECK(journal_write(j, "backup", "done", NULL, NULL, &e));
    CHECK(journal_read(a, dir, "20261120_194609_ab12", &r, &e) && r.progress.doing == NULL);
    json_free(r.records);
    CHECK_STR(r.last_event, "done");
    CHECK(fs_remove_tree(a, dir, &e));
}

/* Times of the work's own clock, and how many notes there are after each. */
TEST(notes_of_progress_are_two_seconds_apart)
{
    static const struct {
        int64_t ms;
        bool last;
        size_t notes;
    } at[] = {{1999, false, 0}, {2000, false, 1}, {3999, false, 1}, {4000, false, 2},
              {4100, true, 2},  {500, false, 2},  {2100, false, 3}, {9000, true, 3}};
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = state_folder(a);
    AUTO(journal) struct journal *j = journal_open(dir, "20261120_194609_ab12", "deploy", &e);
    struct progress_note n = progress_note_to(j, "backup", NULL);
    const struct progress *p = progress_note_of(&n);
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        const struct progress_now now = {
            .doing = "backup", .elapsed_ms = at[i].ms, .last = at[i].last};
        struct journal_run r;
        CHECK(p->say(p->context, &now, &e));
        CHECK(journal_read(a, dir, "20261120_194609_ab12", &r, &e));
        CHECK(json_count(r.records) == at[i].notes);
        json_free(r.records);
    }
    CHECK(fs_remove_tree(a, dir, &e));
}

TEST(journal_refuses_newer_formats_and_strange_names)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = state_folder(a);
    struct journal_run r;
    write_two(a, dir, &e);
    append(a, dir, "20261120_194609_ab12", "{\"v\":2,\"seq\":3}\n");
    CHECK(!journal_read(a, dir, "20261120_194609_ab12", &r, &e) && e.kind == ERR_DAMAGED);
    CHECK(strstr(e.message, "format 2") != NULL);
    CHECK(!journal_read(a, dir, "../x", &r, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(!journal_read(a, dir, "none", &r, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(fs_remove_tree(a, dir, &e));
}

TEST(journal_is_gone_on_with_by_a_recover)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = state_folder(a);
    const char *run = "20261120_194609_ab12";
    struct journal_run r;
    write_two(a, dir, &e);
    append(a, dir, run, "{\"v\":1,\"seq\":3,\"ev");
    AUTO(journal) struct journal *j = journal_continue(dir, run, "recover", &e);
    CHECK(j != NULL && journal_write(j, "recover", "begin", NULL, NULL, &e));
    CHECK(journal_continue(dir, run, "recover", &e) == NULL && e.kind == ERR_BUSY);
    struct json *data = json_object();
    json_put(data, "decision", "keep");
    CHECK(journal_write(j, "recover", "done", data, NULL, &e));
    CHECK(journal_read(a, dir, run, &r, &e) && json_count(r.records) == 4);
    CHECK(json_int(json_at(r.records, 2), "seq", 0) == 3);
    CHECK_STR(json_str(json_at(r.records, 2), "command", ""), "recover");
    CHECK_STR(r.command, "deploy");
    CHECK_STR(r.decision, "keep");
    CHECK(journal_last(r.records, "recover", "done") == json_at(r.records, 3));
    CHECK(journal_first(r.records, "recover", "failed") == NULL);
    json_free(r.records);
    CHECK(journal_continue(dir, "none", "recover", &e) == NULL && e.kind == ERR_NOT_FOUND);
    CHECK(fs_remove_tree(a, dir, &e));
}

/* A line that a crash left broken, but ended. */
TEST(journal_cuts_a_broken_last_line_off)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = state_folder(a);
    const char *run = "20261120_194609_ab12";
    struct journal_run r;
    write_two(a, dir, &e);
    append(a, dir, run, "{\"v\":1,\"se\n");
    AUTO(journal) struct journal *j = journal_continue(dir, run, "recover", &e);
    CHECK(j != NULL && journal_write(j, "recover", "begin", NULL, NULL, &e));
    CHECK(journal_read(a, dir, run, &r, &e) && json_count(r.records) == 3);
    json_free(r.records);
    CHECK(fs_remove_tree(a, dir, &e));
}
