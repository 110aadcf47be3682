#include "core/gate/gate_history.h"
#include "core/prisma/checksum.h"

#include "git.h"
#include "tap.h"
#include "tree.h"

struct bench {
    struct arena *arena;
    const char *dir;
    struct prisma_project project;
    struct migration_list folder;
    struct ledger ledger;
    struct prisma_state state;
    struct gate_context context;
    struct strlist pending;
};

static struct bench bench_on(struct arena *a, const char *made)
{
    struct bench b = {.arena = a, .dir = fs_absolute(a, made)};
    b.project = (struct prisma_project){.root = b.dir, .migrations = fs_join(a, b.dir, "m")};
    b.ledger =
        (struct ledger){.schema = "public", .rows = arena_array(a, 8, sizeof(*b.ledger.rows))};
    return b;
}

static void script(const struct bench *b, const char *name, const char *sql)
{
    tree_file(b->dir, arena_printf(b->arena, "m/%s/migration.sql", name), sql);
}

static void row(struct bench *b, const char *name, const char *sql, bool finished)
{
    b->ledger.rows[b->ledger.count++] = (struct ledger_row){
        .id = name,
        .name = name,
        .checksum = script_checksum(b->arena, sql, strlen(sql)),
        .started_at = "2026-11-20T19:46:09.000001Z",
        .finished_at = finished ? "2026-11-20T19:46:10.000001Z" : NULL,
    };
}

/* "rule:target:LEVEL:line ..." in the order in which they were found; E or W. */
static const char *said(struct bench *b, bool with_ledger, const char *base)
{
    struct arena *a = b->arena;
    struct findings found = findings_on(a);
    struct err e = {0};
    if (!migrations_read(a, b->project.migrations, &b->folder, &e))
        return arena_strdup(a, e.message);
    b->state.folder = b->folder;
    b->state.history = history_compare(a, &b->folder, with_ledger ? &b->ledger : NULL);
    b->context = (struct gate_context){.project = &b->project,
                                       .folder = &b->folder,
                                       .state = with_ledger ? &b->state : NULL,
                                       .base = base};
    if (!gate_history(a, &b->context, &found, &b->pending, &e))
        return arena_printf(a, "%s: %s", err_kind_name(e.kind), e.hint);
    struct str s = str_on(a);
    for (size_t i = 0; i < found.count; i++) {
        const struct finding *f = &found.items[i];
        str_item(&s, " ",
                 arena_printf(a, "%s:%s:%s:%zu", f->rule, f->target,
                              f->level == FINDING_ERROR ? "E" : "W", f->line));
        CHECK((f->file == NULL) == (f->line == 0) && f->advice != NULL && f->message != NULL);
        CHECK(f->file == NULL || str_starts(f->file, b->project.migrations));
    }
    return s.text;
}

static const char *pending(const struct bench *b)
{
    return strlist_join(&b->pending, " ");
}

TEST(the_ledger_says_what_health_says_of_it)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct bench b = bench_on(a, dir);
    script(&b, "1_ok", "1");
    script(&b, "2_edited", "2");
    script(&b, "3_late", "3");
    script(&b, "5_failed", "5");
    CHECK(fs_mkdirs(a, fs_join(a, dir, "m/6_empty"), &(struct err){0}));
    script(&b, "7_new", "7");
    row(&b, "1_ok", "1", true);
    row(&b, "2_edited", "was", true);
    row(&b, "4_missing", "4", true);
    row(&b, "5_failed", "5", false);
    b.state.outlook = OUTLOOK_BLOCKED;
    b.state.code = "P3009";
    CHECK_STR(said(&b, true, NULL),
              "failed-migration:5_failed:E:1 edited-migration:2_edited:W:1 "
              "missing-migration:4_missing:W:0 out-of-order-migration:3_late:W:1 "
              "scriptless-migration:6_empty:E:0 no-repository:project:W:0");
    CHECK_STR(pending(&b), "3_late 6_empty 7_new");
}

TEST(what_would_stop_a_deploy_is_an_error)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct bench b = bench_on(a, dir);
    script(&b, "1", "1");
    b.state.summary = "x";
    b.state.outlook = OUTLOOK_BLOCKED;
    b.state.code = "P3005";
    CHECK_STR(said(&b, true, NULL), "no-baseline:database:E:0 no-repository:project:W:0");
    b.state.code = NULL;
    b.state.ledgers.prisma8 = true;
    CHECK_STR(said(&b, true, NULL), "prisma-8:database:E:0 no-repository:project:W:0");
    b.state.outlook = OUTLOOK_UNCLEAR;
    CHECK_STR(said(&b, true, NULL), "several-ledgers:database:E:0 no-repository:project:W:0");
}

TEST(git_says_what_the_ledger_does_not)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct bench b = bench_on(a, dir);
    script(&b, "1_applied", "one\n");
    script(&b, "2_new", "a\nb\nc\n");
    script(&b, "3_gone", "3");
    if (!git(a, b.dir, "init -q -b main . && git add . && git commit -qm one")) {
        TAP_SKIP("no git here");
        return;
    }
    row(&b, "1_applied", "one\n", true);
    CHECK_STR(said(&b, true, NULL), "");
    CHECK_STR(said(&b, false, NULL), "");
    CHECK_STR(pending(&b), "");

    script(&b, "1_applied", "two\n");
    script(&b, "2_new", "a\r\nb\r\nx\r\n");
    script(&b, "4_mine", "4");
    CHECK(fs_remove_tree(a, fs_join(a, b.dir, "m/3_gone"), &(struct err){0}));
    CHECK_STR(said(&b, true, NULL),
              "edited-migration:1_applied:W:1 changed-migration:2_new:W:3 "
              "uncommitted-migration:4_mine:W:1 deleted-migration:3_gone:W:0");
    CHECK_STR(pending(&b), "2_new 4_mine");
    CHECK_STR(said(&b, false, NULL),
              "changed-migration:1_applied:W:1 changed-migration:2_new:W:3 "
              "uncommitted-migration:4_mine:W:1 deleted-migration:3_gone:W:0");
    CHECK_STR(pending(&b), "4_mine");
    row(&b, "3_gone", "3", true);
    CHECK_STR(said(&b, true, NULL), "edited-migration:1_applied:W:1 missing-migration:3_gone:W:0 "
                                    "out-of-order-migration:2_new:W:1 changed-migration:2_new:W:3 "
                                    "uncommitted-migration:4_mine:W:1");
    CHECK(str_starts(said(&b, true, "nowhere"), "not-found: Fetch it"));
}

/* The ledger of a stand-in was made of this branch's own files: it proves nothing. */
TEST(with_a_base_the_ledger_is_a_stand_ins)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct bench b = bench_on(a, dir);
    script(&b, "1", "one\n");
    script(&b, "3", "three\n");
    if (!git(a, b.dir,
             "init -q -b main . && git add . && git commit -qm one && "
             "git checkout -qb work")) {
        TAP_SKIP("no git here");
        return;
    }
    script(&b, "1", "two\n");
    script(&b, "2", "two\n");
    CHECK(git(a, b.dir, "add . && git commit -qm two"));
    row(&b, "1", "two\n", true);
    CHECK_STR(said(&b, true, "main"),
              "stand-in-behind:database:W:0 changed-migration:1:W:1 behind-base:2:W:1");
    CHECK_STR(pending(&b), "2");
    row(&b, "3", "three\n", true);
    CHECK_STR(said(&b, true, "main"), "out-of-order-migration:2:W:1 changed-migration:1:W:1");
    CHECK_STR(said(&b, false, "main"), "changed-migration:1:W:1 behind-base:2:W:1");
    CHECK_STR(pending(&b), "2");
}
