#include "core/health/dataloss_match.h"

#include "tap.h"

/*
 * One table is told by a line: "id:int4=100 name:text=90", NAME:TYPE=VALUES by place; "-" is the
 * hole of a dropped column.  Of now, TYPE may end in "!" (NOT NULL), "*" (computed) and "+" (from
 * ADD COLUMN ... DEFAULT).
 */
struct case_of {
    struct arena *a;
    struct manifest before;
    struct live_catalog now;
    struct effects effects;
    bool fenced;
};

static struct case_of new_case(struct arena *a)
{
    struct case_of c = {.a = a};
    c.before.id = "app_x_full";
    c.before.tables = arena_array(a, 8, sizeof(*c.before.tables));
    c.now.tables = arena_array(a, 8, sizeof(*c.now.tables));
    c.effects = (struct effects){.parsed = true, .touched = strlist_on(a)};
    return c;
}

static void was(struct case_of *c, const char *name, int64_t rows, const char *columns)
{
    struct manifest_table *t = &c->before.tables[c->before.table_count++];
    *t = (struct manifest_table){.schema = "public", .name = name, .rows = rows};
    t->columns = arena_array(c->a, 8, sizeof(*t->columns));
    char *save = NULL;
    for (char *w = strtok_r(arena_strdup(c->a, columns), " ", &save); w != NULL;
         w = strtok_r(NULL, " ", &save)) {
        size_t name_n = strcspn(w, ":"), type_n = strcspn(w + name_n, "=") - 1;
        t->columns[t->column_count++] = (struct manifest_column){
            .name = arena_strndup(c->a, w, name_n),
            .type = arena_strndup(c->a, w + name_n + 1, type_n),
            .values = strtoll(w + name_n + type_n + 2, NULL, 10),
        };
    }
}

static void is(struct case_of *c, const char *name, int64_t rows, const char *columns)
{
    struct live_table *t = &c->now.tables[c->now.count++];
    *t = (struct live_table){.schema = "public", .name = name, .rows = rows};
    t->columns = arena_array(c->a, 8, sizeof(*t->columns));
    char *save = NULL;
    for (char *w = strtok_r(arena_strdup(c->a, columns), " ", &save); w != NULL;
         w = strtok_r(NULL, " ", &save)) {
        struct live_column *l = &t->columns[t->column_count++];
        l->place = (int)t->column_count;
        l->dropped = strcmp(w, "-") == 0;
        if (l->dropped)
            continue;
        size_t name_n = strcspn(w, ":"), mark_n = strcspn(w + name_n, "=") - 1;
        char *type = arena_strndup(c->a, w + name_n + 1, mark_n);
        l->nullable = strchr(type, '!') == NULL;
        l->computed = strchr(type, '*') != NULL;
        l->missing = strchr(type, '+') == NULL ? NULL : "x";
        l->name = arena_strndup(c->a, w, name_n);
        l->type = arena_strndup(c->a, type, strcspn(type, "!*+"));
        l->values = strtoll(w + name_n + mark_n + 2, NULL, 10);
    }
}

/* "drop-column public.T.c!": rule, target, and "!" for an error; joined by ", ". */
static const char *judged(struct case_of *c)
{
    struct findings found = findings_on(c->a);
    const struct dataloss_context context = {.before = &c->before,
                                             .effects = &c->effects,
                                             .effect_count = 1,
                                             .default_schema = "public",
                                             .fenced = c->fenced};
    struct dataloss_matches m = dataloss_match(c->a, &context, &c->now);
    dataloss_judge(c->a, &m, &c->now, &found);
    struct strlist all = strlist_on(c->a);
    for (size_t i = 0; i < found.count; i++)
        strlist_printf(&all, "%s %s%s", found.items[i].rule, found.items[i].target,
                       found.items[i].level == FINDING_ERROR ? "!" : "");
    return strlist_join(&all, ", ");
}

/* One table T, 100 rows before and now. */
static const char *one(const char *before, const char *now)
{
    static struct arena *a;
    arena_free(a);
    a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "T", 100, before);
    is(&c, "T", 100, now);
    return judged(&c);
}

TEST(what_is_as_it_was_is_no_finding)
{
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 a:text=1"), "");
    CHECK_STR(one("id:int4=100", "id:int4=100 b:text=0"), "");
    CHECK_STR(one("id:int4=100 a:varchar(9)=5", "id:int4=100 a:text=1"), "");
}

TEST(a_dropped_column_with_values_is_an_error)
{
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 -"), "drop-column public.T.a!");
    CHECK_STR(one("a:text=5 id:int4=100", "- id:int4=100"), "drop-column public.T.a!");
    CHECK_STR(one("id:int4=100 a:text=0", "id:int4=100 -"), "");
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 - b:int4=0"), "drop-column public.T.a!");
    CHECK_STR(one("id:int4=100 a:text=-1", "id:int4=100 -"), "drop-column public.T.a!");
}

TEST(a_renamed_column_is_no_finding)
{
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 b:text=1"), "");
    CHECK_STR(one("a:text=5 id:int4=100", "b:text=1 id:int4=100"), "");
    CHECK_STR(one("a:text=5 z:text=2 id:int4=100", "b:text=1 y:text=1 id:int4=100"), "");
    CHECK_STR(one("id:int4=100 a:text=5 z:int4=1", "id:int4=100 - b:text=5 z:int4=1"), "");
    CHECK_STR(one("a:text=5 z:text=9 id:int4=100", "- y:text=9 id:int4=100"),
              "drop-column public.T.a!");
    CHECK_STR(one("a:text=100 id:int4=100", "b:text+=100 id:int4=100"), "");
    /* beside a hole from long ago: the type decides, then the order */
    CHECK_STR(one("a:int4=5 z:text=5 id:int4=100", "- - y:text=1 id:int4=100"),
              "drop-column public.T.a!");
    CHECK_STR(one("a:int4=5 id:int4=100", "- b:text=1 id:int4=100"), "");
}

TEST(a_renamed_column_that_lost_its_values_is_an_error)
{
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 - b:text=0"), "renamed-column public.T.a!");
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 - b:text=4"), "renamed-column public.T.a!");
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 - b:text=5"), "");
    CHECK_STR(one("a:text=5 id:int4=100", "- id:int4=100 b:text=0"), "renamed-column public.T.a!");
    CHECK_STR(one("a:text=5 id:int4=100", "- id:int4=100 b:text=5"), "");
}

TEST(one_new_column_stands_for_one_lost_only)
{
    CHECK_STR(one("id:int4=100 a:text=5 b:text=50", "id:int4=100 - - c:text=50"),
              "drop-column public.T.a!");
    CHECK_STR(one("id:int4=100 a:text=5 b:text=50", "id:int4=100 - - c:text=5 d:text=50"), "");
}

TEST(values_of_a_default_are_not_carried_over)
{
    CHECK_STR(one("id:int4=100 a:text=50", "id:int4=100 - b:text*=100"),
              "renamed-column public.T.a!");
    CHECK_STR(one("id:int4=100 a:text=50", "id:int4=100 - b:text+=50"), "");
    CHECK_STR(one("id:int4=100 a:text=50", "id:int4=100 - b:text+=49"),
              "renamed-column public.T.a!");
}

TEST(what_follows_a_touched_table_is_touched)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "C", 2, "id:int4=2");
    was(&c, "D", 2, "id:int4=2");
    is(&c, "A", 1, "id:int4=1");
    is(&c, "B", 1, "id:int4=1");
    is(&c, "C", 1, "id:int4=1");
    is(&c, "D", 1, "id:int4=1");
    struct live_table *t = c.now.tables;
    struct live_edge edges[] = {{&t[1], &t[2]}, {&t[0], &t[1]}, {&t[2], &t[1]}, {&t[3], &t[0]}};
    c.now.edges = edges;
    c.now.edge_count = ARRAY_LEN(edges);
    strlist_add(&c.effects.touched, "A");
    CHECK_STR(judged(&c), "rows-lost public.C!, rows-lost public.D");
}

TEST(a_column_dropped_and_added_again_is_told_by_its_place)
{
    CHECK_STR(one("a:text=100 id:int4=100", "- id:int4=100 a:enum!+=0"), "drop-column public.T.a!");
    CHECK_STR(one("a:text=100 id:int4=100", "- id:int4=100 a:enum!=100"), "");
    CHECK_STR(one("a:text=100 id:int4=100", "- id:int4=100 a:text=0"), "drop-column public.T.a!");
    /* the last one: hole, other type, and the mark of ADD COLUMN ... DEFAULT */
    CHECK_STR(one("id:int4=100 a:text=100", "id:int4=100 - a:enum!+=0"), "drop-column public.T.a!");
    CHECK_STR(one("id:int4=100 a:text=9 b:text=9", "id:int4=100 - - a:enum!+=0 b:enum!+=0"),
              "drop-column public.T.a!, drop-column public.T.b!");
    CHECK_STR(one("id:int4=100 a:text=100", "id:int4=100 - a:text!+=0"), "");
    CHECK_STR(one("id:int4=100 a:text=100", "id:int4=100 a:enum!+=0"), "");
}

TEST(a_column_all_null_is_values_lost)
{
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 a:text=0"), "values-lost public.T.a");
    CHECK_STR(one("id:int4=100 a:text=5", "id:int4=100 a:text!=0"), "");
    CHECK_STR(one("id:int4=100 a:text=0", "id:int4=100 a:text=0"), "");
}

TEST(fewer_rows_are_blamed_on_who_touched_them)
{
    AUTO(arena) struct arena *a = arena_new();
    for (int i = 0; i < 5; i++) {
        struct case_of c = new_case(a);
        was(&c, "T", 100, "id:int4=100 a:text=5");
        is(&c, "T", 99, "id:int4=99 a:text=0");
        c.fenced = i == 1;
        c.effects.anything = i == 2;
        c.effects.parsed = i != 3;
        if (i == 4)
            strlist_add(&c.effects.touched, "T");
        CHECK_STR(judged(&c), i == 0 ? "rows-lost public.T, values-lost public.T.a"
                                     : "rows-lost public.T!, values-lost public.T.a!");
    }
}

TEST(more_rows_are_no_finding)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "T", 100, "id:int4=100");
    is(&c, "T", 101, "id:int4=101");
    CHECK_STR(judged(&c), "");
}

TEST(an_emptied_table_lost_rows_not_values)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "T", 100, "id:int4=100 a:text=5");
    is(&c, "T", 0, "id:int4=0 a:text=0");
    CHECK_STR(judged(&c), "rows-lost public.T");
}

TEST(carried_values_may_be_fewer_by_the_rows_that_are_gone)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "T", 100, "id:int4=100 a:text=100");
    is(&c, "T", 60, "id:int4=60 - b:text=60");
    CHECK_STR(judged(&c), "rows-lost public.T");
}

TEST(a_table_gone_with_rows_is_an_error_unless_renamed)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "A", 3, "id:int4=3 a:text=1");
    was(&c, "B", 3, "id:int4=3 a:text=1");
    was(&c, "C", 3, "id:int4=3");
    was(&c, "D", 0, "id:int4=0");
    was(&c, "E", 9, "id:int4=9 a:text=1");
    was(&c, "_prisma_migrations", 5, "id:text=5");
    is(&c, "A0", 3, "id:int4=3 a:text=1");
    c.now.tables[0].partitioned = true;
    is(&c, "A1", 4, "id:int4=4");
    is(&c, "A2", 3, "id:int4=3 a:text=1 more:text=0");
    is(&c, "C2", 3, "id:text=3");
    is(&c, "E2", 2, "id:int4=2 a:text=1");
    CHECK_STR(judged(&c), "drop-table public.B!, drop-table public.E!");
    CHECK(c.now.tables[2].taken && !c.now.tables[3].wanted);
}

TEST(a_renamed_table_keeps_its_oid_whatever_else_is_done_to_it)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "Product", 3, "id:int4=3 type:old_enum=3 team:int4=3");
    is(&c, "Project", 3, "id:int4=3 type:new_enum=3 team_id:int4=3");
    CHECK_STR(judged(&c), "drop-table public.Product!");
    c.before.tables[0].oid = c.now.tables[0].oid = "16400";
    CHECK_STR(judged(&c), "");
    CHECK(!c.now.tables[0].is_new && c.now.tables[0].wanted);
    is(&c, "Q", 3, "id:int4=3");
    c.now.tables[0].oid = "16401";
    c.now.tables[1].oid = "16400"; /* given by chance: no column but one is there */
    CHECK_STR(judged(&c), "drop-table public.Product!");
}

TEST(a_renamed_table_that_lost_rows_or_values_is_told_under_its_old_name)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "A", 100, "id:int4=100 a:text=5 b:text=5");
    is(&c, "B", 60, "id:int4!=60 - b:text=0");
    c.before.tables[0].oid = c.now.tables[0].oid = "16400";
    CHECK_STR(judged(&c), "rows-lost public.A, drop-column public.A.a!, values-lost public.A.b");
}

TEST(a_renamed_table_is_the_one_with_the_nearest_rows)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "A", 3, "id:int4=3");
    was(&c, "B", 9, "id:int4=9");
    is(&c, "X", 10, "id:int4=10");
    is(&c, "Y", 4, "id:int4=4");
    CHECK_STR(judged(&c), "");
}

TEST(only_what_is_needed_is_counted)
{
    AUTO(arena) struct arena *a = arena_new();
    struct case_of c = new_case(a);
    was(&c, "T", 100, "id:int4=100 a:text=100 b:text=1 c:text=0");
    is(&c, "T", 100, "id:int4!=100 a:text=1 b:text=1 c:text=0 d:text=0");
    is(&c, "U", 100, "id:int4=0");
    CHECK_STR(judged(&c), "");
    const struct live_table *t = &c.now.tables[0];
    CHECK(t->wanted && !c.now.tables[1].wanted);
    CHECK(t->columns[0].want == WANT_NOTHING && t->columns[3].want == WANT_NOTHING);
    CHECK(t->columns[1].want == WANT_ANY && !t->columns[1].sparse);
    CHECK(t->columns[2].want == WANT_ANY && t->columns[2].sparse);
    CHECK(t->columns[4].want == WANT_NOTHING);
}
