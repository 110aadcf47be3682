#include "core/restore/data_sql.h"

#include "data_plan_world.h"

TEST(what_is_as_it_was_is_copied_as_it_is)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    CHECK(plan(&w));
    CHECK(w.plan.loaded == 1 && w.plan.blocker_count == 0 && w.plan.lost_values == 0);
    CHECK(w.plan.tables[0].staged == NULL);
    CHECK(column(&w, 0, "c")->fate == DATA_SAME);
    CHECK(data_plan_check(a, &w.plan, &w.e));
    CHECK_STR(data_sql_columns(a, &w.plan.tables[0]), "(\"id\", \"c\")");
}

TEST(new_columns_get_what_the_database_has_for_them)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    struct live_table *t = &w.live.tables[0];
    has(t, "nothing", "text");
    has(t, "given", "text")->expression = "now()";
    has(t, "number", "integer")->identity = 'a';
    has(t, "sum", "integer")->generated = true;
    has(t, "must", "integer")->not_null = true;
    t->columns[4].not_null = t->columns[3].not_null = true;
    CHECK(plan(&w));
    CHECK(column(&w, 0, "nothing")->fate == DATA_NEW_NULL);
    CHECK(column(&w, 0, "given")->fate == DATA_NEW_DEFAULT);
    CHECK(column(&w, 0, "number")->fate == DATA_NEW_IDENTITY);
    CHECK(column(&w, 0, "sum")->fate == DATA_NEW_GENERATED);
    CHECK(column(&w, 0, "must")->fate == DATA_NEW_REQUIRED);
    CHECK(w.plan.blocker_count == 1);
    CHECK(!data_plan_check(a, &w.plan, &w.e) && w.e.kind == ERR_PREFLIGHT);
    CHECK(strstr(w.e.message, "\"must\"") != NULL);
    CHECK(strstr(w.e.hint, "--default 'public.t.must=") != NULL);

    strlist_add(&w.wishes.defaults, "t.must=length(c) + 1");
    CHECK(plan(&w));
    CHECK(w.plan.blocker_count == 0 && column(&w, 0, "must")->fate == DATA_NEW_FILLED);
    CHECK(w.plan.tables[0].staged != NULL);
    CHECK_STR(data_sql_insert(a, &w.plan, &w.plan.tables[0]),
              "INSERT INTO \"public\".\"t\" (\"id\", \"c\", \"must\") OVERRIDING SYSTEM VALUE "
              "SELECT s.\"id\", s.\"c\", CAST((length(c) + 1) AS integer) FROM "
              "pg_temp.migsafe_stage AS s WHERE TRUE");
    /* No rows, nothing to fill. */
    w.wishes.defaults = strlist_on(a);
    w.manifest.tables[0].rows = 0;
    CHECK(plan(&w) && w.plan.blocker_count == 0);
}

TEST(gone_columns_and_tables_are_counted_and_must_be_accepted)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    had(&w.manifest.tables[0], "gone", "text", 7);
    had(&w.manifest.tables[0], "gone_empty", "text", 0);
    had(then(&w, "public", "lost", 5), "a", "text", 5);
    then(&w, "other", "_prisma_migrations", 3);
    now(&w, "public", "unknown");
    CHECK(plan(&w));
    CHECK(w.plan.lost_values == 7 && w.plan.lost_rows == 5 && w.plan.loaded == 1);
    CHECK(column(&w, 0, "gone")->lost == 7 && column(&w, 0, "gone_empty")->lost == 0);
    CHECK(w.plan.untouched_count == 1);
    CHECK_STR(w.plan.untouched[0]->name, "unknown");
    CHECK(!data_plan_check(a, &w.plan, &w.e) && w.e.kind == ERR_UNSAFE);
    CHECK(strstr(w.e.message, "5 rows and 7 values") != NULL);
    w.wishes.accept_loss = true;
    CHECK(data_plan_check(a, &w.plan, &w.e));
    CHECK_STR(data_sql_columns(a, &w.plan.tables[0]), "(\"id\", \"c\")");
}

TEST(prismas_ledger_is_never_touched)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = world(a);
    had(then(&w, "any", "_prisma_migrations", 3), "id", "text", 3);
    had(then(&w, "any", "t", 3), "id", "text", 3);
    has(now(&w, "any", "_prisma_migrations"), "id", "text");
    CHECK(plan(&w) && w.plan.loaded == 0 && w.plan.untouched_count == 0);
    /* Not even by a map. */
    strlist_add(&w.wishes.maps, "any.t=any._prisma_migrations");
    CHECK(plan(&w) && w.plan.loaded == 0);
}

TEST(renamed_is_suggested_and_applied_when_told)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = world(a);
    struct manifest_table *old = then(&w, "public", "User", 10);
    had(old, "id", "integer", 10);
    had(old, "mail", "text", 9);
    had(old, "age", "integer", 10);
    struct live_table *t = now(&w, "public", "person");
    has(t, "id", "integer");
    has(t, "email", "text");
    has(t, "age", "integer");
    CHECK(plan(&w));
    CHECK(w.plan.loaded == 0 && w.plan.suggestions.count == 1);
    CHECK_STR(w.plan.suggestions.items[0], "--map 'public.User=public.person'");

    strlist_add(&w.wishes.maps, "\"User\"=person");
    CHECK(plan(&w));
    CHECK(w.plan.loaded == 1 && w.plan.tables[0].renamed && w.plan.lost_values == 9);
    CHECK(w.plan.suggestions.count == 1);
    CHECK_STR(w.plan.suggestions.items[0], "--map 'public.User.mail=email'");

    strlist_add(&w.wishes.maps, "User.mail=email");
    CHECK(plan(&w));
    CHECK(w.plan.suggestions.count == 0 && w.plan.lost_values == 0);
    CHECK_STR(data_sql_columns(a, &w.plan.tables[0]), "(\"id\", \"email\", \"age\")");
    CHECK(column(&w, 0, "mail")->renamed);
}

TEST(a_rename_is_known_by_its_oid_too)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = world(a);
    had(then(&w, "public", "a", 1), "x", "text", 1);
    now(&w, "public", "b")->oid = "77";
    CHECK(plan(&w) && w.plan.suggestions.count == 1);
    w.live.oid = "2";
    CHECK(plan(&w) && w.plan.suggestions.count == 0);
}

TEST(a_wish_that_names_nothing_is_refused)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    strlist_add(&w.wishes.maps, "t.d=c");
    CHECK(!plan(&w) && w.e.kind == ERR_USAGE);
    CHECK(strstr(w.e.message, "the backup has no \"t.d\"") != NULL);
    CHECK(strstr(w.e.hint, "\"t.") != NULL);
    w.wishes.maps = strlist_on(a);
    strlist_add(&w.wishes.maps, "t.c=nowhere");
    CHECK(!plan(&w) && strstr(w.e.message, "no \"nowhere\"") != NULL);
    w.wishes.maps = strlist_on(a);
    strlist_add(&w.wishes.maps, "t.c");
    CHECK(!plan(&w) && strstr(w.e.message, "OLD=NEW") != NULL);
    w.wishes.maps = strlist_on(a);
    strlist_add(&w.wishes.defaults, "t.x=1");
    CHECK(!plan(&w) && strstr(w.e.message, "the database has no \"t.x\"") != NULL);
}

TEST(two_columns_into_one_are_refused)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    had(&w.manifest.tables[0], "d", "text", 4);
    strlist_add(&w.wishes.maps, "t.d=c");
    CHECK(plan(&w) && w.plan.blocker_count == 1);
}

TEST(types_that_read_the_text_need_no_cast)
{
    static const struct {
        const char *from, *to;
        bool reads;
    } cases[] = {
        {"integer", "bigint", true},
        {"bigint", "integer", false},
        {"integer", "text", true},
        {"boolean", "text", false},
        {"character(5)", "text", false},
        {"character varying(20)", "character varying(30)", true},
        {"character varying(30)", "character varying(20)", false},
        {"character varying", "character varying(20)", false},
        {"text", "character varying", true},
        {"numeric(10,4)", "numeric(10,2)", false},
        {"text", "jsonb", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena) struct arena *a = arena_new();
        struct world w = pair(a, cases[i].from, 10, cases[i].to, 'X');
        CHECK(plan(&w));
        CHECK((column(&w, 0, "c")->fate == DATA_RETYPED) == cases[i].reads);
        CHECK((w.plan.tables[0].staged == NULL) == cases[i].reads);
    }
}

TEST(casts_keep_the_old_type_and_tell_changed_values)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "numeric(10,4)", 10, "integer", 'N');
    CHECK(plan(&w));
    const struct data_column *c = column(&w, 0, "c");
    CHECK(c->fate == DATA_CAST);
    CHECK_STR(c->staging, "numeric(10,4)");
    CHECK_STR(data_sql_value(a, c), "CAST(s.\"c\" AS integer)");
    CHECK(strstr(data_sql_changed(a, c), "IS DISTINCT FROM CAST(CAST(s.\"c\" AS integer) AS "
                                         "numeric(10,4))") != NULL);
    /* No cast of its own: through text; whether it changed cannot be told. */
    w = pair(a, "date", 10, "jsonb", 'U');
    CHECK(plan(&w));
    c = column(&w, 0, "c");
    CHECK_STR(data_sql_value(a, c), "CAST(CAST(s.\"c\" AS text) AS jsonb)");
    CHECK(data_sql_changed(a, c) == NULL);
    /* A type that is gone, or an enum: as text. */
    w = pair(a, "public.gone", 10, "integer", 'N');
    CHECK(plan(&w));
    CHECK_STR(column(&w, 0, "c")->staging, "text");
    w = pair(a, "public.\"Role\"", 10, "integer", 'N');
    CHECK(plan(&w));
    CHECK_STR(column(&w, 0, "c")->staging, "text");
    CHECK_STR(data_sql_stage(a, &w.plan.tables[0]),
              "CREATE TEMPORARY TABLE migsafe_stage (migsafe_row bigint GENERATED ALWAYS AS "
              "IDENTITY, \"id\" integer, \"c\" text) ON COMMIT DROP");
}

TEST(what_was_found_by_trying_is_told)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "numeric(10,4)", 10, "integer", 'N');
    struct data_trial trial = {
        .table = &w.manifest.tables[0], .column = "c", .changed = 2, .example = "1.5 -> 2"};
    const struct data_trials trials = {&trial, 1};
    const struct data_inputs from = {
        .manifest = &w.manifest, .live = &w.live, .wishes = &w.wishes, .trials = &trials};
    CHECK(data_plan_make(a, &from, &w.plan, &w.e));
    CHECK(w.plan.blocker_count == 0 && w.plan.lost_values == 2 && column(&w, 0, "c")->changed == 2);
    CHECK(strstr(data_sql_try(a, column(&w, 0, "c"), 3, 4), "BETWEEN 3 AND 4") != NULL);
    trial.refused = "no";
    CHECK(data_plan_make(a, &from, &w.plan, &w.e));
    CHECK(w.plan.blocker_count == 1 &&
          strstr(w.plan.blockers[0].hint, "--default 'public.t.c=") != NULL);
    /* What the user says is computed instead. */
    trial.refused = NULL;
    trial.changed = 0;
    strlist_add(&w.wishes.defaults, "t.c=floor(c)");
    CHECK(data_plan_make(a, &from, &w.plan, &w.e));
    CHECK(w.plan.lost_values == 0);
    CHECK_STR(data_sql_value(a, column(&w, 0, "c")), "CAST((floor(c)) AS integer)");
    CHECK(data_sql_changed(a, column(&w, 0, "c")) == NULL);
    w = pair(a, "text", 10, "character varying(6)", 'S');
    CHECK(plan(&w));
    CHECK(strstr(data_sql_try(a, column(&w, 0, "c"), 0, 0), "> 6") != NULL);
}

TEST(nulls_in_what_may_not_be_null_any_more)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    w.live.tables[0].columns[1].not_null = true;
    CHECK(plan(&w) && w.plan.blocker_count == 1);
    CHECK(strstr(w.plan.blockers[0].message, "6 rows") != NULL);
    strlist_add(&w.wishes.defaults, "public.t.c='?'");
    CHECK(plan(&w) && w.plan.blocker_count == 0);
    CHECK_STR(data_sql_value(a, column(&w, 0, "c")), "coalesce(s.\"c\", CAST(('?') AS text))");
}

TEST(an_enum_that_lacks_values)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const names[] = {"A", "B'"};
    static const struct live_enum labels = {"9", names, 2};
    struct world w = pair(a, "public.\"Role\"", 10, "public.\"Role\"", 'E');
    w.live.tables[0].columns[1].labels = &labels;
    CHECK(plan(&w));
    CHECK(w.plan.wanted.count == 1 && w.plan.wanted.items[0].column == 1);
    struct data_scan read = w.plan.wanted.items[0];
    const struct data_scans scans = {&read, 1};
    CHECK(plan_with(&w, &scans));
    CHECK(column(&w, 0, "c")->fate == DATA_SAME && w.plan.tables[0].staged == NULL);

    read.strange = 3;
    read.values = "OLD (3)";
    CHECK(plan_with(&w, &scans));
    CHECK(column(&w, 0, "c")->fate == DATA_LABELS_GONE && w.plan.lost_values == 3);
    CHECK(w.plan.blocker_count == 0);
    CHECK_STR(data_sql_value(a, column(&w, 0, "c")),
              "CASE WHEN s.\"c\" IS NULL THEN NULL WHEN s.\"c\" IN ('A', 'B''') THEN "
              "CAST(s.\"c\" AS public.\"Role\") ELSE NULL END");
    w.live.tables[0].columns[1].not_null = true;
    CHECK(plan_with(&w, &scans));
    CHECK(w.plan.blocker_count == 1);
    w.live.tables[0].columns[1].expression = "'A'::public.\"Role\"";
    CHECK(plan_with(&w, &scans));
    CHECK(w.plan.blocker_count == 0);
    CHECK_STR(column(&w, 0, "c")->filler, "'A'::public.\"Role\"");
    CHECK(w.plan.lost_values == 3);
    strlist_add(&w.wishes.defaults, "t.c=CASE c WHEN 'OLD' THEN 'A' END");
    CHECK(plan_with(&w, &scans));
    CHECK(w.plan.lost_values == 0 && w.plan.blocker_count == 0);
}

TEST(generated_columns_on_either_side)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 10, "text", 'S');
    w.live.tables[0].columns[1].generated = true;
    CHECK(plan(&w) && column(&w, 0, "c")->fate == DATA_COMPUTED && w.plan.lost_values == 0);
    CHECK_STR(data_sql_columns(a, &w.plan.tables[0]), "(\"id\")");
    /* It was generated, and is no more: its values are not in the file. */
    w = pair(a, "text", 10, "text", 'S');
    w.manifest.tables[0].columns[1].generated = true;
    had(&w.manifest.tables[0], "d", "text", 10);
    has(&w.live.tables[0], "d", "text");
    CHECK(plan(&w) && column(&w, 0, "c")->fate == DATA_NEW_NULL);
    CHECK(column(&w, 0, "d")->field == 1);
}

TEST(rows_that_are_there)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    w.live.tables[0].rows = 3;
    CHECK(plan(&w) && w.plan.blocker_count == 1);
    w.wishes.mode = DATA_REPLACE;
    CHECK(plan(&w) && w.plan.blocker_count == 0 && w.plan.deleted == 3);
    w.wishes.mode = DATA_UPDATE;
    CHECK(plan(&w) && w.plan.blocker_count == 1);
    w.wishes.mode = DATA_SKIP;
    CHECK(plan(&w) && w.plan.blocker_count == 1);
    primary_key(&w, &w.live.tables[0], "id");
    CHECK(plan(&w) && w.plan.blocker_count == 0 && w.plan.deleted == 0);
    CHECK(str_ends(data_sql_insert(a, &w.plan, &w.plan.tables[0]),
                   "WHERE TRUE ON CONFLICT DO NOTHING"));
    w.wishes.mode = DATA_UPDATE;
    CHECK(plan(&w) && w.plan.blocker_count == 0);
    CHECK(str_ends(data_sql_insert(a, &w.plan, &w.plan.tables[0]),
                   "WHERE TRUE ON CONFLICT (\"id\") DO UPDATE SET \"c\" = "
                   "excluded.\"c\""));
}

TEST(rights_and_kinds)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    w.live.tables[0].secured = true;
    CHECK(plan(&w) && w.plan.blocker_count == 1);
    CHECK(strstr(w.plan.blockers[0].message, "row security") != NULL);
    w.live.tables[0].secured = w.live.tables[0].insertable = false;
    CHECK(plan(&w) && w.plan.blocker_count == 1);
    w.live.tables[0].insertable = true;
    w.live.tables[0].kind = 'v';
    CHECK(plan(&w) && w.plan.blocker_count == 1 && w.plan.lost_rows == 10);
    CHECK(strstr(w.plan.blockers[0].message, "a view") != NULL);
}

/* Tables a to d, ten rows each, on both sides. */
static struct world four(struct arena *a)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct world w = world(a);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        had(then(&w, "public", names[i], 10), "id", "integer", 10);
        has(now(&w, "public", names[i]), "id", "integer");
    }
    return w;
}

static const char *order(struct world *w)
{
    struct str s = str_on(w->arena);
    for (size_t i = 0; i < w->plan.loaded; i++)
        str_add(&s, w->plan.tables[i].from->name);
    return s.text;
}

static const char *taken_off(struct world *w)
{
    struct str s = str_on(w->arena);
    for (size_t i = 0; i < w->plan.taken_off_count; i++)
        str_item(&s, " ", w->plan.taken_off[i]->name);
    return s.text;
}

TEST(parents_come_first)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    struct live_table *t = w.live.tables;
    refers(&w, "ab", &t[0], &t[1]);
    refers(&w, "ad", &t[0], &t[3]);
    refers(&w, "bd", &t[1], &t[3]);
    CHECK(plan(&w));
    CHECK_STR(order(&w), "cdba");
    CHECK_STR(taken_off(&w), "");
    CHECK_STR(
        data_sql_lock(a, &w.plan),
        "LOCK TABLE ONLY \"public\".\"a\", ONLY \"public\".\"b\", ONLY \"public\".\"c\", ONLY "
        "\"public\".\"d\" IN SHARE ROW EXCLUSIVE MODE");
}

TEST(cycles_and_self_references_are_taken_off)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    struct live_table *t = w.live.tables;
    refers(&w, "ab", &t[0], &t[1]);
    refers(&w, "bc", &t[1], &t[2]);
    refers(&w, "cb", &t[2], &t[1]);
    refers(&w, "dd", &t[3], &t[3]);
    CHECK(plan(&w));
    CHECK(w.plan.loaded == 4 && w.plan.taken_off_count == 2);
    CHECK(strstr(taken_off(&w), "dd") != NULL && strstr(taken_off(&w), "ab") == NULL);
    CHECK(strchr(order(&w), 'b') < strchr(order(&w), 'a'));
    CHECK(strstr(data_sql_lock(a, &w.plan), "ACCESS EXCLUSIVE") != NULL);
    t[3].owned = false;
    CHECK(plan(&w) && w.plan.blocker_count == 1);
    CHECK(strstr(w.plan.blockers[0].message, "\"dd\"") != NULL);
}

TEST(what_refers_to_deleted_rows_is_taken_off)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    struct live_table *outside = now(&w, "public", "e");
    refers(&w, "ea", outside, &w.live.tables[0]);
    refers(&w, "eb", outside, &w.live.tables[1]);
    w.live.tables[0].rows = 4;
    w.wishes.mode = DATA_REPLACE;
    CHECK(plan(&w));
    CHECK_STR(taken_off(&w), "ea");
    /* Between two that are loaded: children are deleted first. Many rows go at once, which no
     * foreign key may refer to. */
    refers(&w, "ba", &w.live.tables[1], &w.live.tables[0]);
    CHECK(plan(&w));
    CHECK_STR(taken_off(&w), "ea");
    CHECK(!w.plan.tables[0].truncated && strstr(data_sql_lock(a, &w.plan), "\"b\", ONLY") != NULL);
    w.live.tables[0].rows = 4000;
    CHECK(plan(&w));
    CHECK_STR(taken_off(&w), "ea ba");
}

TEST(more_locks_than_the_server_has_room_for)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    w.live.locks = 10;
    CHECK(plan(&w) && w.plan.blocker_count == 0);
    w.live.tables[0].indexes = 9;
    CHECK(plan(&w) && w.plan.blocker_count == 1);
    w.manifest.tables[0].rows = 0;
    CHECK(plan(&w) && w.plan.blocker_count == 0);
}

TEST(large_tables_are_checked_at_once)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    refers(&w, "ab", &w.live.tables[0], &w.live.tables[1]);
    w.manifest.tables[0].rows = 1000000;
    w.manifest.tables[0].columns[0].values = 1000000;
    CHECK(plan(&w));
    CHECK_STR(taken_off(&w), "ab");
    /* Rows that were there before one that is not valid may break it. */
    w.manifest.tables[0].rows = w.manifest.tables[0].columns[0].values = 1;
    CHECK(plan(&w));
    CHECK_STR(taken_off(&w), "");
    w.live.foreign_keys[0].validated = false;
    CHECK(plan(&w));
    CHECK_STR(taken_off(&w), "ab");
}

TEST(partitions_go_through_their_root)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    w.live.tables[0].kind = 'p';
    w.live.tables[1].root = &w.live.tables[0];
    refers(&w, "ca", &w.live.tables[2], &w.live.tables[0]);
    CHECK(plan(&w));
    CHECK(w.plan.loaded == 4);
    CHECK(strchr(order(&w), 'b') < strchr(order(&w), 'c'));
    for (size_t i = 0; i < w.plan.loaded; i++)
        if (strcmp(w.plan.tables[i].from->name, "b") == 0)
            CHECK(w.plan.tables[i].into == &w.live.tables[0]);
}

TEST(a_partition_that_the_backup_lacks_is_left_alone)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    w.live.tables[0].kind = 'p';
    for (size_t i = 1; i < 4; i++)
        w.live.tables[i].root = &w.live.tables[0];
    /* "a" itself and "d" are not in the backup: all it has are two partitions. */
    w.manifest.tables++;
    w.manifest.table_count = 2;
    CHECK(plan(&w) && w.plan.loaded == 2 && w.plan.untouched_count == 1);
    CHECK_STR(w.plan.untouched[0]->name, "d");
    w.manifest.tables--;
    w.manifest.table_count = 1;
    CHECK(plan(&w) && w.plan.loaded == 1 && w.plan.untouched_count == 0);
}

TEST(two_tables_into_one)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    w.live.table_count = 1;
    w.manifest.table_count = 2;
    w.live.tables[0].rows = 5;
    w.wishes.mode = DATA_REPLACE;
    strlist_add(&w.wishes.maps, "b=a");
    CHECK(plan(&w));
    CHECK(w.plan.loaded == 2 && w.plan.deleted == 5 && w.plan.rows == 20);
    CHECK(!w.plan.tables[0].again && w.plan.tables[1].again);
}

TEST(indexes_of_tables_that_are_filled_anew)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = four(a);
    struct live_table *t = w.live.tables;
    struct live_index of_a[] = {{.table = &t[0], .oid = "1", .name = "a_pkey", .definition = "a"}};
    struct live_index of_b[] = {{.table = &t[1], .oid = "2", .name = "b_pkey", .definition = "b"}};
    t[0].remakable = of_a;
    t[1].remakable = of_b;
    t[0].remakable_count = t[1].remakable_count = 1;
    CHECK(plan(&w) && w.plan.remade_count == 0);
    w.manifest.tables[0].rows = w.manifest.tables[1].rows = 20001;
    CHECK(plan(&w) && w.plan.remade_count == 2);
    const char *both = data_plan_digest(a, &w.plan);
    t[1].rows = 1; /* a row is there and stays */
    w.wishes.mode = DATA_SKIP;
    CHECK(plan(&w) && w.plan.remade_count == 1 && w.plan.remade[0] == &of_a[0]);
    CHECK(strcmp(data_plan_digest(a, &w.plan), both) != 0);
    t[1].rows = 1001;
    w.wishes.mode = DATA_REPLACE;
    CHECK(plan(&w) && w.plan.remade_count == 2);
    w.wishes.triggers = true;
    CHECK(plan(&w) && w.plan.remade_count == 0);
    w.wishes.triggers = false;
    /* d has few rows: its foreign key is in the way only of a's index. */
    refers(&w, "da", &t[3], &t[0]);
    w.live.foreign_keys[0].index = "1";
    CHECK(plan(&w) && w.plan.remade_count == 2 && w.plan.taken_off_count == 1);
    w.live.foreign_keys[0].index = "9";
    CHECK(plan(&w) && w.plan.remade_count == 2 && w.plan.taken_off_count == 0);
    w.live.foreign_keys[0].index = "1";
    w.live.foreign_keys[0].validated = false; /* off too: its rows may break it */
    CHECK(plan(&w) && w.plan.remade_count == 2 && w.plan.taken_off_count == 1);
}

TEST(triggers_and_sequences)
{
    AUTO(arena) struct arena *a = arena_new();
    static struct live_trigger trigger = {"watch", 'A'};
    struct world w = four(a);
    w.live.tables[2].triggers = &trigger;
    w.live.tables[2].trigger_count = 1;
    w.live.sequences[0] = (struct live_sequence){
        .schema = "public", .name = "owned", .table = &w.live.tables[0], .column = "id"};
    w.live.sequences[1] = (struct live_sequence){.schema = "public", .name = "alone"};
    w.live.sequences[2] = (struct live_sequence){.schema = "public", .name = "fresh"};
    w.live.sequence_count = 3;
    w.manifest.sequences[0] = (struct manifest_sequence){"public", "alone", 5, true};
    w.manifest.sequence_count = 1;
    CHECK(plan(&w));
    CHECK(w.plan.quiet_count == 1 && w.plan.sequence_count == 2);
    w.wishes.triggers = true;
    CHECK(plan(&w) && w.plan.quiet_count == 0);
}

TEST(the_digest_tells_other_plans_apart)
{
    AUTO(arena) struct arena *a = arena_new();
    struct world w = pair(a, "text", 4, "text", 'S');
    CHECK(plan(&w));
    const char *one = data_plan_digest(a, &w.plan);
    w.manifest.tables[0].rows = 99;
    CHECK(plan(&w));
    CHECK_STR(data_plan_digest(a, &w.plan), one);
    has(&w.live.tables[0], "more", "text");
    CHECK(plan(&w));
    CHECK(strcmp(data_plan_digest(a, &w.plan), one) != 0);
}
