/*
 * data_plan_world.h - a backup and a live database for tests of the plan, built table by table.
 */
#ifndef MIGSAFE_TESTS_DATA_PLAN_WORLD_H
#define MIGSAFE_TESTS_DATA_PLAN_WORLD_H

#include "core/restore/data_plan.h"

#include "tap.h"

/* A backup and a live database, built table by table; no server. */
struct world {
    struct arena *arena;
    struct manifest manifest;
    struct live live;
    struct data_wishes wishes;
    struct data_plan plan;
    struct err e;
};

enum { MOST = 16 };

static struct world world(struct arena *a)
{
    static const struct live_cast casts[] = {{"numeric", "integer"},
                                             {"integer", "numeric"},
                                             {"timestamp without time zone", "date"},
                                             {"date", "timestamp without time zone"},
                                             {"numeric", "numeric"}};
    static const struct live_type types[] = {
        {"text", "text", 'S', false},
        {"integer", "integer", 'N', false},
        {"date", "date", 'D', false},
        {"timestamp(3) without time zone", "timestamp without time zone", 'D', false},
        {"numeric(10,4)", "numeric", 'N', false},
        {"boolean", "boolean", 'B', false},
        {"public.\"Role\"", "public.\"Role\"", 'E', true}};
    struct world w = {.arena = a};
    w.manifest =
        (struct manifest){.id = "app_1_data",
                          .kind = "data",
                          .tables = arena_array(a, MOST, sizeof(*w.manifest.tables)),
                          .sequences = arena_array(a, MOST, sizeof(struct manifest_sequence)),
                          .database = {.name = "app", .oid = "1", .encoding = "UTF8"}};
    w.live = (struct live){.database = "app",
                           .oid = "1",
                           .role = "app",
                           .zone = "UTC",
                           .encoding = "UTF8",
                           .tables = arena_array(a, MOST, sizeof(*w.live.tables)),
                           .foreign_keys = arena_array(a, MOST, sizeof(*w.live.foreign_keys)),
                           .sequences = arena_array(a, MOST, sizeof(*w.live.sequences)),
                           .casts = arena_array(a, ARRAY_LEN(casts), sizeof(casts[0])),
                           .cast_count = ARRAY_LEN(casts),
                           .types = arena_array(a, ARRAY_LEN(types), sizeof(types[0])),
                           .type_count = ARRAY_LEN(types)};
    memcpy(w.live.casts, casts, sizeof(casts));
    memcpy(w.live.types, types, sizeof(types));
    w.wishes = (struct data_wishes){.maps = strlist_on(a), .defaults = strlist_on(a)};
    return w;
}

static struct manifest_table *then(struct world *w, const char *schema, const char *name,
                                   int64_t rows)
{
    struct manifest_table *t = &w->manifest.tables[w->manifest.table_count++];
    *t = (struct manifest_table){
        .schema = schema, .name = name, .oid = "77", .rows = rows, .file = "1.dat"};
    t->columns = arena_array(w->arena, MOST, sizeof(*t->columns));
    return t;
}

static void had(struct manifest_table *t, const char *name, const char *type, int64_t values)
{
    t->columns[t->column_count++] =
        (struct manifest_column){.name = name, .type = type, .values = values};
}

/* In the order of their names. */
static struct live_table *now(struct world *w, const char *schema, const char *name)
{
    struct live_table *t = &w->live.tables[w->live.table_count++];
    *t = (struct live_table){.oid = name,
                             .schema = schema,
                             .name = name,
                             .kind = 'r',
                             .owned = true,
                             .insertable = true,
                             .rows = 0};
    t->columns = arena_array(w->arena, MOST, sizeof(*t->columns));
    return t;
}

static struct live_column *has(struct live_table *t, const char *name, const char *type)
{
    struct live_column *c = &t->columns[t->column_count++];
    *c = (struct live_column){.name = name, .type = type, .base = type, .category = 'S'};
    return c;
}

static void primary_key(struct world *w, struct live_table *t, const char *column)
{
    t->keys = ARENA_NEW(w->arena, struct live_key);
    t->keys->primary = true;
    t->keys->columns = arena_array(w->arena, 1, sizeof(char *));
    t->keys->columns[0] = column;
    t->keys->column_count = t->key_count = 1;
}

static void refers(struct world *w, const char *name, struct live_table *child,
                   struct live_table *parent)
{
    w->live.foreign_keys[w->live.foreign_key_count++] = (struct live_foreign_key){
        .name = name, .definition = name, .child = child, .parent = parent, .validated = true};
}

static bool plan_with(struct world *w, const struct data_scans *scans)
{
    const struct data_inputs from = {
        .manifest = &w->manifest, .live = &w->live, .wishes = &w->wishes, .scans = scans};
    w->e = (struct err){0};
    return data_plan_make(w->arena, &from, &w->plan, &w->e);
}

static bool plan(struct world *w)
{
    return plan_with(w, NULL);
}

static const struct data_column *column(const struct world *w, size_t table, const char *name)
{
    static const struct data_column none = {.fate = DATA_SAME, .field = -9};
    const struct data_table *t = &w->plan.tables[table];
    for (size_t i = 0; i < t->column_count; i++) {
        const struct data_column *c = &t->columns[i];
        if (strcmp(c->from != NULL ? c->from->name : c->to->name, name) == 0)
            return c;
    }
    return &none;
}

/* One table "t" on both sides: "id" as it was, and one column more then, or now. */
static struct world pair(struct arena *a, const char *type_then, int64_t values,
                         const char *type_now, char category)
{
    struct world w = world(a);
    struct manifest_table *old = then(&w, "public", "t", 10);
    had(old, "id", "integer", 10);
    had(old, "c", type_then, values);
    struct live_table *t = now(&w, "public", "t");
    has(t, "id", "integer");
    has(t, "c", type_now)->category = category;
    return w;
}

#endif
