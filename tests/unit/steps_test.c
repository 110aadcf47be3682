#include "base/fs.h"
#include "core/steps.h"

#include "tap.h"

struct run {
    char trace[128];
};

static void mark(struct run *run, const char *text)
{
    size_t n = strlen(run->trace);
    snprintf(run->trace + n, sizeof(run->trace) - n, "%s", text);
}

static bool do_a(struct run *r, struct err *e UNUSED)
{
    mark(r, "A");
    return true;
}

static bool undo_a(struct run *r, struct err *e)
{
    mark(r, "a");
    return err_set(e, ERR_SYSTEM, "cannot undo a");
}

static bool do_b(struct run *r, struct err *e UNUSED)
{
    mark(r, "B");
    return true;
}

static bool undo_b(struct run *r, struct err *e UNUSED)
{
    mark(r, "b");
    return true;
}

static bool fails(struct run *r, struct err *e)
{
    mark(r, "X");
    return err_set(e, ERR_UNSAFE, "table is too large");
}

static void told(struct run *run, const struct step *step UNUSED, const char *result,
                 int64_t elapsed_ms UNUSED, const struct err *error UNUSED)
{
    mark(run, result[0] == 'w' ? "(warning)" : "");
}

static const struct step a = {.name = "a", .what = "do a", .apply = do_a, .undo = undo_a};
static const struct step b = {
    .name = "b", .what = "do b", .apply = do_b, .undo = undo_b, .commits = true};
static const struct step bad = {.name = "bad", .what = "fail", .apply = fails, .undo = undo_b};

struct outcome {
    bool ok;
    struct run run;
    struct steps_end end;
    struct err e;
    char events[128];
};

static struct outcome try(const struct step *const *steps, size_t count)
{
    AUTO(arena) struct arena *arena = arena_new();
    struct outcome o = {0};
    struct err e = {0};
    struct journal_run r;
    char dir[] = "/tmp/ms-steps.XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    struct journal *j = journal_open(dir, "r", "deploy", &e);
    const struct steps_plan plan = {.steps = steps, .count = count, .journal = j, .told = told};
    o.ok = steps_run(&plan, &o.run, &o.end, &o.e);
    journal_close(j);
    CHECK(journal_read(arena, dir, "r", &r, &e));
    for (size_t i = 0; i < json_count(r.records); i++) {
        size_t n = strlen(o.events);
        const struct json *record = json_at(r.records, i);
        snprintf(o.events + n, sizeof(o.events) - n, "%s:%s ", json_str(record, "step", ""),
                 json_str(record, "event", ""));
    }
    json_free(r.records);
    CHECK(fs_remove_tree(arena, dir, &e));
    return o;
}

TEST(steps_are_undone_newest_first)
{
    struct outcome o = try((const struct step *const[]){&a, &bad, &b}, 3);
    CHECK(!o.ok && o.end.failed == &bad && o.end.undo_failed && !o.end.committed);
    CHECK_STR(o.run.trace, "AXba");
    CHECK_STR(o.e.message, "table is too large");
    CHECK_STR(o.end.undo_error.message, "cannot undo a");
    CHECK_STR(o.events, "a:begin a:done bad:begin bad:failed ");
}

TEST(steps_after_the_commit_point_only_warn)
{
    struct outcome o = try((const struct step *const[]){&a, &b, &bad}, 3);
    CHECK(o.ok && o.end.failed == NULL && o.end.committed);
    CHECK_STR(o.run.trace, "ABX(warning)");
    CHECK(o.e.kind == ERR_NONE);
    CHECK_STR(o.events, "a:begin a:done b:begin b:done bad:begin bad:failed ");
}
