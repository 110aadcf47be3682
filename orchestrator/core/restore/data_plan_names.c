#include "base/nearest.h"
#include "core/restore/data_planning.h"

/* People write "User", User, public.User, "public"."User"; names with dots or quotes in them are
 * matched as they are. */
static char *unquoted(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    for (; *text != '\0'; text++)
        if (*text != '"')
            str_add_n(&s, text, 1);
    return s.text;
}

struct name {
    const char *exact, *plain;
};

static struct name name_of(struct arena *a, const char *text)
{
    return (struct name){text, unquoted(a, text)};
}

static bool is_named(const struct name *name, const char *candidate)
{
    return strcmp(name->exact, candidate) == 0 || strcmp(name->plain, candidate) == 0;
}

static bool is_table(struct arena *a, const struct name *name, const char *schema,
                     const char *table)
{
    return is_named(name, table) || is_named(name, data_name(a, schema, table));
}

static bool is_column(struct arena *a, const struct name *name, const char *schema,
                      const char *table, const char *column)
{
    const char *in_table = arena_printf(a, "%s.%s", table, column);
    return is_named(name, in_table) || is_named(name, data_name(a, schema, in_table));
}

static const struct manifest_table *find_from(struct planning *p, const struct name *name)
{
    const struct manifest *m = p->plan->manifest;
    for (size_t i = 0; i < m->table_count; i++)
        if (is_table(p->arena, name, m->tables[i].schema, m->tables[i].name))
            return &m->tables[i];
    return NULL;
}

/* In the schema of what it replaces first. */
static struct live_table *find_to(struct planning *p, const struct name *name, const char *schema)
{
    const struct live *live = p->plan->live;
    struct live_table *t = live_find(live, schema, name->exact);
    if (t == NULL)
        t = live_find(live, schema, name->plain);
    for (size_t i = 0; t == NULL && i < live->table_count; i++)
        if (is_table(p->arena, name, live->tables[i].schema, live->tables[i].name))
            t = &live->tables[i];
    return t;
}

static struct live_table *target_of(struct planning *p, const struct manifest_table *t)
{
    for (size_t i = 0; i < p->table_map_count; i++)
        if (p->table_maps[i].from == t)
            return p->table_maps[i].to;
    return live_find(p->plan->live, t->schema, t->name);
}

static bool take_table(struct planning *p, const char *left, const char *right)
{
    const struct name from = name_of(p->arena, left), to = name_of(p->arena, right);
    const struct manifest_table *t = find_from(p, &from);
    struct live_table *target = t == NULL ? NULL : find_to(p, &to, t->schema);
    if (target == NULL)
        return false;
    p->table_maps[p->table_map_count++] = (struct wish_table){t, target};
    return true;
}

/* The right side: a column of the table that the left one's goes to, alone or with its table. */
static const char *find_column_to(struct planning *p, const struct live_table *t,
                                  const struct name *name)
{
    for (size_t i = 0; i < t->column_count; i++) {
        const char *column = t->columns[i].name;
        if (is_named(name, column) || is_column(p->arena, name, t->schema, t->name, column))
            return column;
    }
    return NULL;
}

static bool take_column(struct planning *p, const char *left, const char *right)
{
    const struct manifest *m = p->plan->manifest;
    const struct name from = name_of(p->arena, left), to = name_of(p->arena, right);
    for (size_t i = 0; i < m->table_count; i++) {
        const struct manifest_table *t = &m->tables[i];
        const struct live_table *target = target_of(p, t);
        for (size_t c = 0; target != NULL && c < t->column_count; c++) {
            if (!is_column(p->arena, &from, t->schema, t->name, t->columns[c].name))
                continue;
            const char *column = find_column_to(p, target, &to);
            if (column == NULL)
                return false;
            p->column_maps[p->column_map_count++] = (struct wish_column){t, &t->columns[c], column};
            return true;
        }
    }
    return false;
}

static bool take_default(struct planning *p, const char *left, const char *right)
{
    const struct live *live = p->plan->live;
    const struct name name = name_of(p->arena, left);
    for (size_t i = 0; i < live->table_count; i++) {
        const struct live_table *t = &live->tables[i];
        for (size_t c = 0; c < t->column_count; c++) {
            if (!is_column(p->arena, &name, t->schema, t->name, t->columns[c].name))
                continue;
            p->defaults[p->default_count++] =
                (struct wish_default){t, &t->columns[c], right, false};
            return true;
        }
    }
    return false;
}

typedef bool take_fn(struct planning *p, const char *left, const char *right);

/* Names may hold "=" too: every one is tried. */
static bool take_wish(struct planning *p, take_fn *take, const char *wish)
{
    for (const char *at = strchr(wish, '='); at != NULL; at = strchr(at + 1, '='))
        if (at > wish && at[1] != '\0' &&
            take(p, arena_strndup(p->arena, wish, (size_t)(at - wish)), at + 1))
            return true;
    return false;
}

static void add_names(struct strlist *known, const char *schema, const char *table,
                      const char *column)
{
    strlist_add(known, table);
    strlist_add(known, data_name(known->arena, schema, table));
    if (column == NULL)
        return;
    strlist_printf(known, "%s.%s", table, column);
    strlist_printf(known, "%s.%s.%s", schema, table, column);
}

static bool unknown(struct planning *p, const char *option, const char *wish, struct err *e)
{
    const struct manifest *m = p->plan->manifest;
    const struct live *live = p->plan->live;
    struct strlist known = strlist_on(p->arena);
    bool of_backup = strcmp(option, "map") == 0;
    for (size_t i = 0; of_backup && i < m->table_count; i++)
        for (size_t c = 0; c < m->tables[i].column_count; c++)
            add_names(&known, m->tables[i].schema, m->tables[i].name, m->tables[i].columns[c].name);
    for (size_t i = 0; !of_backup && i < live->table_count; i++)
        for (size_t c = 0; c < live->tables[i].column_count; c++)
            add_names(&known, live->tables[i].schema, live->tables[i].name,
                      live->tables[i].columns[c].name);
    size_t length = strcspn(wish, "=");
    const char *left = unquoted(p->arena, arena_strndup(p->arena, wish, length));
    if (wish[length] == '\0' || wish[length + 1] == '\0' || length == 0) {
        err_set(e, ERR_USAGE, "\"--%s %s\" is not of the form %s", option, wish,
                of_backup ? "OLD=NEW" : "TABLE.COLUMN=EXPRESSION");
        return false;
    }
    if (strlist_has(&known, left))
        return err_set(e, ERR_USAGE, "\"--%s %s\": the database has no \"%s\" to put it in", option,
                       wish, wish + length + 1);
    err_set(e, ERR_USAGE, "\"--%s %s\": %s has no \"%s\"", option, wish,
            of_backup ? "the backup" : "the database", left);
    const char *near = nearest(&known, left);
    if (near != NULL)
        err_hint(e, "Did you mean \"%s\"?", near);
    return false;
}

bool data_plan_read_wishes(struct planning *p, struct err *e)
{
    const struct data_wishes *w = p->plan->wishes;
    p->table_maps = arena_array(p->arena, w->maps.count + 1, sizeof(*p->table_maps));
    p->column_maps = arena_array(p->arena, w->maps.count + 1, sizeof(*p->column_maps));
    p->defaults = arena_array(p->arena, w->defaults.count + 1, sizeof(*p->defaults));
    bool *taken = arena_array(p->arena, w->maps.count + 1, sizeof(*taken));
    /* Tables first: a column's new name is looked for where its table goes. */
    for (size_t i = 0; i < w->maps.count; i++)
        taken[i] = take_wish(p, take_table, w->maps.items[i]);
    for (size_t i = 0; i < w->maps.count; i++)
        if (!taken[i] && !take_wish(p, take_column, w->maps.items[i]))
            return unknown(p, "map", w->maps.items[i], e);
    for (size_t i = 0; i < w->defaults.count; i++)
        if (!take_wish(p, take_default, w->defaults.items[i]))
            return unknown(p, "default", w->defaults.items[i], e);
    return true;
}
