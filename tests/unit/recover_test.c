/* The judgement of docs/RECOVER.md, row by row, both sides of each condition; and what it is made
 * of. */
#include "core/recover/before.h"
#include "core/recover/wrote.h"

#include "base/fs.h"

#include "tap.h"

static struct past deploy_at(enum past_stage stage)
{
    return (struct past){
        .command = "deploy",
        .stage = stage,
        .migrate_begun = stage >= PAST_MIGRATING,
        .side = {"app__migsafe_restore_x", "2", stage >= PAST_SWAPPING},
    };
}

static struct past restore_at(enum past_stage stage)
{
    struct past p = deploy_at(stage);
    p.command = "restore";
    p.is_restore = true;
    return p;
}

/* All conditions of a way back hold, without a fence. */
static struct truth good(void)
{
    return (struct truth){
        .live = LIVE_IS_OLD, .ledger = LEDGER_BETWEEN, .backup_good = true, .within_limit = true};
}

static void expect(const struct past *p, const struct truth *t, enum recover_action action,
                   const char *verdict)
{
    struct judgement j = recover_judge(p, t);
    CHECK_STR(recover_action_name(j.action), recover_action_name(action));
    CHECK_STR(j.verdict, verdict);
    CHECK(j.why != NULL && j.why[0] != '\0');
}

TEST(before_prisma_was_started_only_leftovers_are_cleared)
{
    struct truth worst = {.live = LIVE_IS_MISSING, .others_wrote = true};
    struct past p = deploy_at(PAST_BEFORE_BACKUP);
    expect(&p, &worst, RECOVER_CLEAN, "refused");
    p = deploy_at(PAST_BACKED_UP);
    expect(&p, &worst, RECOVER_CLEAN, "refused");
    p.migrate_begun = true;
    expect(&p, &worst, RECOVER_CLEAN, "unchanged");
    p = restore_at(PAST_BACKED_UP);
    expect(&p, &worst, RECOVER_CLEAN, "unchanged");
}

TEST(migrating_is_judged_by_the_ledger_first)
{
    struct past p = deploy_at(PAST_MIGRATING);
    struct truth t = {
        .live = LIVE_IS_OLD, .ledger = LEDGER_AS_BEFORE, .backup_good = true, .others_wrote = true};
    expect(&p, &t, RECOVER_CLEAN, "unchanged");
    t.ledger = LEDGER_COMPLETE;
    expect(&p, &t, RECOVER_FORWARD, "migrated");
    CHECK(!recover_judge(&p, &t).may_go_back);
    t = good();
    t.ledger = LEDGER_COMPLETE;
    expect(&p, &t, RECOVER_FORWARD, "migrated");
    CHECK(recover_judge(&p, &t).may_go_back);
    t.ledger = LEDGER_BETWEEN;
    expect(&p, &t, RECOVER_BACK, "restored");
    t.live = LIVE_IS_MISSING;
    t.ledger = LEDGER_AS_BEFORE;
    expect(&p, &t, RECOVER_NOTHING, "broken");
}

/* What was applied cannot be judged without the backup's numbers. */
TEST(forward_needs_the_backup)
{
    struct past p = deploy_at(PAST_MIGRATING);
    struct truth t = good();
    t.ledger = LEDGER_COMPLETE;
    t.backup_good = false;
    expect(&p, &t, RECOVER_NOTHING, "broken");
}

static const enum past_stage backwards[] = {PAST_MIGRATING, PAST_ROLLING_BACK, PAST_SWAPPING};

TEST(each_condition_of_a_way_back_is_needed)
{
    for (size_t i = 0; i < ARRAY_LEN(backwards); i++) {
        struct past p = deploy_at(backwards[i]);
        struct truth t = good();
        expect(&p, &t, RECOVER_BACK, "restored");
        t.within_limit = false;
        expect(&p, &t, RECOVER_NOTHING, "broken");
        t = good();
        t.others_wrote = true;
        expect(&p, &t, RECOVER_NOTHING, "broken");
        t = good();
        t.others_migrated = t.fence_stands = true;
        expect(&p, &t, RECOVER_NOTHING, "broken");
        t = good();
        t.live = LIVE_IS_OTHER;
        expect(&p, &t, RECOVER_NOTHING, "broken");
        t = good();
        t.backup_good = false;
        expect(&p, &t, RECOVER_NOTHING, "broken");
    }
}

TEST(a_fence_that_stands_replaces_time_and_counting)
{
    for (size_t i = 0; i < ARRAY_LEN(backwards); i++) {
        struct past p = deploy_at(backwards[i]);
        struct truth t = good();
        t.fence_stands = true;
        t.within_limit = false;
        t.others_wrote = true; /* it cannot be known */
        expect(&p, &t, RECOVER_BACK, "restored");
        t.live = LIVE_IS_OTHER;
        expect(&p, &t, RECOVER_NOTHING, "broken");
    }
}

TEST(what_is_proven_is_swapped_in_under_the_same_conditions)
{
    struct past p = deploy_at(PAST_ROLLING_BACK);
    struct truth t = good();
    p.side.proven = true;
    expect(&p, &t, RECOVER_BACK, "restored"); /* it is not there any more */
    t.side_there = true;
    t.backup_good = false; /* nobody needs it now */
    expect(&p, &t, RECOVER_SWAP, "restored");
    t.within_limit = false;
    expect(&p, &t, RECOVER_NOTHING, "broken");
    p.side.proven = false;
    t = good();
    t.side_there = true;
    expect(&p, &t, RECOVER_BACK, "restored");
    p = deploy_at(PAST_MIGRATING);
    p.standby = (struct past_database){"app__migsafe_standby_x", "3", true};
    t = good();
    t.backup_good = false;
    t.standby_there = true;
    expect(&p, &t, RECOVER_BACK, "restored");
}

TEST(both_sides_of_the_swap)
{
    struct past p = deploy_at(PAST_SWAPPING), r = restore_at(PAST_SWAPPING);
    struct truth t = good();
    t.side_there = true;
    expect(&p, &t, RECOVER_SWAP, "restored");
    expect(&r, &t, RECOVER_CLEAN, "unchanged");
    t = (struct truth){.live = LIVE_IS_SIDE, .others_wrote = true};
    expect(&p, &t, RECOVER_RESTORED, "restored");
    expect(&r, &t, RECOVER_RESTORED, "restored");
    t.live = LIVE_IS_OTHER;
    expect(&p, &t, RECOVER_NOTHING, "broken");
    expect(&r, &t, RECOVER_NOTHING, "broken");
    t.live = LIVE_IS_MISSING;
    expect(&p, &t, RECOVER_NOTHING, "broken");
}

/* Reopened by hand: whoever did that wants it so. */
TEST(after_the_swap_only_what_was_swapped_in_is_finished)
{
    struct past p = deploy_at(PAST_SWAPPED);
    struct truth t = good();
    t.live = LIVE_IS_SIDE;
    expect(&p, &t, RECOVER_RESTORED, "restored");
    t.live = LIVE_IS_OLD;
    expect(&p, &t, RECOVER_NOTHING, "broken");
}

TEST(in_place_is_judged_by_its_transaction)
{
    struct past r = restore_at(PAST_IN_PLACE), p = deploy_at(PAST_IN_PLACE);
    struct truth t = good();
    t.transaction = TRANSACTION_COMMITTED;
    expect(&r, &t, RECOVER_RESTORED, "restored");
    expect(&p, &t, RECOVER_RESTORED, "restored");
    t.transaction = TRANSACTION_ABORTED;
    expect(&r, &t, RECOVER_CLEAN, "unchanged");
    expect(&p, &t, RECOVER_BACK, "restored");
    t.transaction = TRANSACTION_UNKNOWN;
    expect(&r, &t, RECOVER_NOTHING, "broken");
    expect(&p, &t, RECOVER_NOTHING, "broken");
}

TEST(from_the_commit_point_on_it_goes_forward)
{
    struct past p = deploy_at(PAST_COMMITTED);
    struct truth worst = {.live = LIVE_IS_OTHER, .others_wrote = true};
    expect(&p, &worst, RECOVER_COMMITTED, "migrated");
}

/* --- past ---------------------------------------------------------------------------------- */

static struct past past_from(struct arena *a, const char *lines)
{
    char *text = arena_printf(a, "[%s]", lines);
    struct err e = {0};
    struct json *records = json_parse(text, strlen(text), &e);
    CHECK(records != NULL);
    const struct journal_run r = {.run = "20261120_194609_ab12",
                                  .command = "deploy",
                                  .started_at = "2026-11-20T19:46:09.000Z",
                                  .records = records};
    struct past p = past_of(a, &r);
    json_free(records);
    return p;
}

#define RUN "{\"step\":\"run\",\"event\":\"begin\",\"data\":{\"database\":\"app\"}}"
#define BACKUP                                                                            \
    ",{\"step\":\"backup\",\"event\":\"begin\"},{\"step\":\"backup\",\"event\":\"note\"," \
    "\"data\":{\"full\":\"app_1_full\"}}"
#define BACKED ",{\"step\":\"backup\",\"event\":\"done\"}"
#define MIGRATE                                                                             \
    ",{\"step\":\"migrate\",\"event\":\"begin\",\"data\":{\"migrations\":[{\"name\":\"m\"," \
    "\"checksum\":\"c\"}],\"live_oid\":\"1\",\"backup\":\"app_1_full\"}}"                   \
    ",{\"step\":\"migrate\",\"event\":\"note\",\"data\":{\"part\":\"before\","              \
    "\"catalogs\":\"k\",\"ledgers\":\"l\",\"others\":\"o\",\"applied\":3}}"
#define CHILD                                                                        \
    ",{\"step\":\"migrate\",\"event\":\"note\",\"at\":\"2026-11-20T19:50:00.000Z\"," \
    "\"data\":{\"pid\":7,\"start_time\":9,\"boot_id\":\"b\",\"application_name\":\"n\"}}"
#define BACK                                                                           \
    ",{\"step\":\"rollback\",\"event\":\"begin\",\"data\":{\"backup\":\"app_1_full\"," \
    "\"live_oid\":\"1\"}}"
#define SIDE(part, oid)                                                           \
    ",{\"step\":\"rollback\",\"event\":\"note\",\"data\":{\"part\":\"" part "\"," \
    "\"side\":\"s\",\"side_oid\":" oid ",\"kept\":\"k\"}}"
#define SWAP(event)                                                                      \
    ",{\"step\":\"swap\",\"event\":\"" event "\",\"data\":{\"live_oid\":\"1\",\"side\":" \
    "\"s\",\"side_oid\":\"2\",\"kept\":\"k\"}}"
#define HEALTH ",{\"step\":\"health\",\"event\":\"done\"}"

TEST(past_knows_the_stage)
{
    static const struct {
        const char *lines;
        enum past_stage stage;
    } cases[] = {
        {RUN, PAST_BEFORE_BACKUP},
        {RUN BACKUP, PAST_BEFORE_BACKUP},
        {RUN BACKUP BACKED, PAST_BACKED_UP},
        {RUN BACKUP BACKED MIGRATE, PAST_BACKED_UP},
        {RUN BACKUP BACKED MIGRATE CHILD, PAST_MIGRATING},
        {RUN BACKUP BACKED MIGRATE CHILD BACK, PAST_ROLLING_BACK},
        {RUN BACKUP BACKED MIGRATE CHILD BACK SIDE("restored", "\"2\""), PAST_ROLLING_BACK},
        {RUN BACKUP BACKED MIGRATE CHILD BACK SWAP("begin"), PAST_SWAPPING},
        {RUN BACKUP BACKED MIGRATE CHILD BACK SWAP("begin") SWAP("done"), PAST_SWAPPED},
        {RUN BACKUP BACKED MIGRATE CHILD HEALTH, PAST_COMMITTED},
    };
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(past_stage_name(past_from(a, cases[i].lines).stage),
                  past_stage_name(cases[i].stage));
}

TEST(past_knows_what_was_meant)
{
    AUTO(arena) struct arena *a = arena_new();
    struct past p = past_from(a, RUN BACKUP BACKED MIGRATE CHILD BACK SIDE("create", "null")
                                     SIDE("restored", "\"2\""));
    CHECK_STR(p.database, "app");
    CHECK_STR(p.backup, "app_1_full");
    CHECK_STR(p.live_oid, "1");
    CHECK(p.migration_count == 1 && p.applied == 3 && p.migrate_begun);
    CHECK_STR(p.migrations[0].checksum, "c");
    CHECK_STR(p.catalogs, "k");
    CHECK(p.child == 7 && p.child_start == 9);
    CHECK_STR(p.side.name, "s");
    CHECK_STR(p.side.oid, "2");
    CHECK(p.side.proven);
    CHECK_STR(p.kept, "k");
    p = past_from(a, RUN BACKUP BACKED MIGRATE CHILD BACK SIDE("create", "null"));
    CHECK(!p.side.proven && p.side.oid == NULL);
}

/* Looking at a run again and again must not keep it young. */
TEST(past_is_as_old_as_its_last_work)
{
    AUTO(arena) struct arena *a = arena_new();
    struct past p =
        past_from(a, RUN BACKUP BACKED MIGRATE CHILD
                  ",{\"step\":\"recover\",\"event\":\"begin\",\"at\":\"2026-11-21T08:00:00.000Z\"}"
                  ",{\"step\":\"hook\",\"event\":\"note\",\"at\":\"2026-11-21T08:00:01.000Z\"}");
    CHECK_STR(p.last_at, "2026-11-20T19:50:00.000Z");
    CHECK_STR(p.last_step, "migrate");
}

/* --- before, wrote --------------------------------------------------------------------------- */

static struct ledger_row applied(const char *id, const char *name, const char *checksum)
{
    return (struct ledger_row){.id = id,
                               .checksum = checksum,
                               .name = name,
                               .started_at = "2026-01-01T00:00:00Z",
                               .finished_at = "2026-01-01T00:00:01Z"};
}

TEST(before_is_compared_with_what_is_there_now)
{
    AUTO(arena) struct arena *a = arena_new();
    struct snapshot then_catalogs = {.digest = "k"}, catalogs = {.digest = "other"};
    struct ledger_row rows[] = {applied("1", "a", "x"), applied("2", "m", "c"),
                                applied("3", "by hand", "z")};
    struct ledger main = {.schema = "public", .rows = rows, .count = 1};
    struct ledgers all = {.items = &main, .count = 1};
    struct before b = {&then_catalogs, &all, &main, "public"};
    AUTO(json) struct json *j = before_json(a, &b);
    struct past_migration m = {"m", "c"};
    struct past p = {.migrations = &m,
                     .migration_count = 1,
                     .catalogs = json_str(j, "catalogs", ""),
                     .ledgers = json_str(j, "ledgers", ""),
                     .other_ledgers = json_str(j, "others", ""),
                     .applied = json_int(j, "applied", -1)};
    CHECK(p.applied == 1);
    CHECK(before_compare(a, &p, &b) == LEDGER_AS_BEFORE);
    b.catalogs = &catalogs;
    CHECK(before_compare(a, &p, &b) == LEDGER_BETWEEN);
    main.count = 2;
    CHECK(before_compare(a, &p, &b) == LEDGER_COMPLETE);
    CHECK(!before_others_migrated(&p, &main));
    rows[1].checksum = "edited";
    CHECK(before_compare(a, &p, &b) == LEDGER_BETWEEN);
    CHECK(before_others_migrated(&p, &main));
    rows[1].finished_at = NULL; /* or tried at least */
    CHECK(before_others_migrated(&p, &main));
    rows[1] = applied("2", "m", "c");
    rows[1].finished_at = NULL;
    CHECK(before_compare(a, &p, &b) == LEDGER_BETWEEN);
    CHECK(!before_others_migrated(&p, &main));
    rows[1] = applied("2", "m", "c");
    main.count = 3; /* somebody applied one more */
    CHECK(before_compare(a, &p, &b) == LEDGER_BETWEEN);
    CHECK(before_others_migrated(&p, &main));
}

static const struct {
    const char *sql;
    int64_t count;
} writing[] = {
    {"ALTER TABLE \"User\" ADD COLUMN x text", 0},
    {"ALTER TABLE \"User\" ADD COLUMN x text DEFAULT 'y'", 1},
    {"CREATE INDEX i ON \"User\" (email)", 0},
    {"UPDATE \"User\" SET x = 1; DELETE FROM \"Users\"", 1},
    {"INSERT INTO public.user VALUES (1); DO $$ BEGIN DELETE FROM USER; END $$", 2},
    {"UPDATE \"Order\" SET x = 1", 0},
    {"not sql about User; at; all", 3},
};

static int64_t writes_of_user(struct arena *a, const char *sql)
{
    struct migration m = {.sql = sql};
    struct migration_list list = {&m, 1};
    return wrote_statements(a, &list, "User");
}

TEST(statements_that_may_write_a_table_are_counted)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(writing); i++)
        CHECK(writes_of_user(a, writing[i].sql) == writing[i].count);
}

TEST(a_table_is_named_by_a_whole_word)
{
    CHECK(wrote_names("x.\"User\"", "user"));
    CHECK(!wrote_names("Users _User User_ User1", "User"));
}

TEST(intended_migrations_are_read_back)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char *dir = arena_strdup(a, "/tmp/ms-recover.XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    struct migration m = {.name = "m", .sql = "SELECT 1;\n-- \"ü\"\n", .checksum = "c"};
    struct migration_list list = {&m, 1}, back;
    struct past_migration meant = {"m", "c"};
    struct past p = {.migrations = &meant, .migration_count = 1};
    CHECK(!intended_read(a, dir, &p, &back, &e) && e.kind == ERR_NOT_FOUND);
    e = (struct err){0};
    CHECK(intended_write(a, dir, &list, &e) && intended_read(a, dir, &p, &back, &e));
    CHECK(back.count == 1);
    CHECK_STR(back.items[0].sql, m.sql);
    meant.checksum = "other";
    CHECK(!intended_read(a, dir, &p, &back, &e) && e.kind == ERR_DAMAGED);
    struct strlist lines = strlist_on(a);
    strlist_add(&lines, "a");
    strlist_add(&lines, "b");
    struct snapshot s = {.lines = lines}, again;
    e = (struct err){0};
    CHECK(catalogs_write(a, dir, &s, &e) && catalogs_read(a, dir, &again, &e));
    CHECK(again.lines.count == 2 && strcmp(again.lines.items[1], "b") == 0);
    CHECK(fs_remove_tree(a, dir, &e));
}
