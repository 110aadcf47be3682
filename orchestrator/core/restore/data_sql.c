#include "core/restore/data_sql.h"

const char data_stage_name[] = "pg_temp.migsafe_stage";
static const char row_column[] = "migsafe_row";

char *data_sql_table(struct arena *a, const struct live_table *t)
{
    return pg_ident2(a, t->schema, t->name);
}

enum lock { LOCK_NONE, LOCK_WRITERS, LOCK_ALL };

static void mark(enum lock *locks, const struct data_plan *plan, const struct live_table *t,
                 enum lock lock)
{
    size_t at = (size_t)(t - plan->live->tables);
    if (locks[at] < lock)
        locks[at] = lock;
}

static const struct live_table *root_of(const struct live_table *t)
{
    return t->root != NULL ? t->root : t;
}

/* What refers to a table that is emptied row by row: a row that others bring there meanwhile would
 * go with the one that it refers to, or be changed, by the foreign key's own action. */
static void mark_children(enum lock *locks, const struct data_plan *plan,
                          const struct live_table *t)
{
    for (size_t i = 0; i < plan->live->foreign_key_count; i++) {
        const struct live_foreign_key *k = &plan->live->foreign_keys[i];
        if (root_of(k->parent) == root_of(t))
            mark(locks, plan, k->child, LOCK_WRITERS);
    }
}

/* Dropping and adding a foreign key needs both its tables for itself, as TRUNCATE and dropping an
 * index do; the rest may be read. */
static enum lock *locks_of(struct arena *a, const struct data_plan *plan)
{
    enum lock *locks = arena_array(a, plan->live->table_count + 1, sizeof(*locks));
    for (size_t i = 0; i < plan->loaded; i++) {
        const struct data_table *t = &plan->tables[i];
        if (!data_is_busy(t))
            continue;
        mark(locks, plan, t->to, t->truncated ? LOCK_ALL : LOCK_WRITERS);
        mark(locks, plan, t->into, LOCK_WRITERS);
        if (t->deleted > 0)
            mark_children(locks, plan, t->to);
    }
    for (size_t i = 0; i < plan->quiet_count; i++)
        mark(locks, plan, plan->quiet[i], LOCK_WRITERS);
    for (size_t i = 0; i < plan->taken_off_count; i++) {
        mark(locks, plan, plan->taken_off[i]->child, LOCK_ALL);
        mark(locks, plan, plan->taken_off[i]->parent, LOCK_ALL);
    }
    for (size_t i = 0; i < plan->remade_count; i++)
        mark(locks, plan, plan->remade[i]->table, LOCK_ALL);
    return locks;
}

char *data_sql_lock(struct arena *a, const struct data_plan *plan)
{
    static const char *const modes[] = {
        [LOCK_WRITERS] = "SHARE ROW EXCLUSIVE", [LOCK_ALL] = "ACCESS EXCLUSIVE"};
    const enum lock *locks = locks_of(a, plan);
    struct str s = str_on(a);
    enum lock last = LOCK_NONE;
    for (size_t i = 0; i < plan->live->table_count; i++) {
        const struct live_table *t = &plan->live->tables[i];
        if (locks[i] == LOCK_NONE)
            continue;
        if (last != LOCK_NONE && locks[i] != last)
            str_printf(&s, " IN %s MODE; ", modes[last]);
        str_add(&s, locks[i] == last ? ", " : "LOCK TABLE ");
        str_printf(&s, "%s%s", t->kind == 'p' ? "" : "ONLY ", data_sql_table(a, t));
        last = locks[i];
    }
    if (last != LOCK_NONE)
        str_printf(&s, " IN %s MODE", modes[last]);
    return s.text;
}

char *data_sql_locked(struct arena *a, const struct data_plan *plan)
{
    const enum lock *locks = locks_of(a, plan);
    struct strlist oids = strlist_on(a);
    for (size_t i = 0; i < plan->live->table_count; i++)
        if (locks[i] != LOCK_NONE)
            strlist_add(&oids, plan->live->tables[i].oid);
    return pg_array(a, oids.items, oids.count);
}

static bool is_taken(const struct data_column *c)
{
    return c->to != NULL && c->from != NULL && c->field >= 0 && c->fate != DATA_COMPUTED;
}

char *data_sql_columns(struct arena *a, const struct data_table *t)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < t->column_count; i++)
        if (is_taken(&t->columns[i]))
            str_item(&s, ", ", pg_ident(a, t->columns[i].to->name));
    return s.length == 0 ? s.text : arena_printf(a, "(%s)", s.text);
}

char *data_sql_stage(struct arena *a, const struct data_table *t)
{
    struct str s = str_on(a);
    str_printf(&s, "CREATE TEMPORARY TABLE %s (%s bigint GENERATED ALWAYS AS IDENTITY",
               strchr(data_stage_name, '.') + 1, row_column);
    for (size_t i = 0; i < t->column_count; i++) {
        const struct data_column *c = &t->columns[i];
        if (c->field >= 0)
            str_printf(&s, ", %s %s", pg_ident(a, c->from->name),
                       c->staging != NULL && c->fate != DATA_COMPUTED ? c->staging : "text");
    }
    str_add(&s, ") ON COMMIT DROP");
    return s.text;
}

/* The template with `value` in its hole. */
static const char *fill(struct arena *a, const char *template, const char *value)
{
    const char *hole = strstr(template, "%s");
    return arena_printf(a, "%.*s%s%s", (int)(hole - template), template, value, hole + 2);
}

/* What the user or the column's default says; an expression that is text is taken for an enum too.
 */
static const char *filler_sql(struct arena *a, const struct data_column *c)
{
    return c->filler == NULL ? "NULL" : arena_printf(a, "CAST((%s) AS %s)", c->filler, c->to->base);
}

static const char *labels_sql(struct arena *a, const struct data_column *c, const char *value)
{
    struct str labels = str_on(a);
    for (size_t i = 0; i < c->to->labels->label_count; i++)
        str_item(&labels, ", ", pg_literal(a, c->to->labels->labels[i]));
    return arena_printf(a, "CASE WHEN %s IS NULL THEN NULL WHEN %s IN (%s) THEN %s ELSE %s END",
                        value, value, labels.length == 0 ? "NULL" : labels.text,
                        fill(a, c->cast, value), filler_sql(a, c));
}

char *data_sql_value(struct arena *a, const struct data_column *c)
{
    if (c->from == NULL || c->replaced)
        return arena_strdup(a, filler_sql(a, c));
    const char *value = arena_printf(a, "s.%s", pg_ident(a, c->from->name));
    if (c->fate == DATA_LABELS_GONE)
        value = labels_sql(a, c, value);
    else if (c->cast != NULL)
        value = fill(a, c->cast, value);
    if (c->nulls > 0 && c->filler != NULL)
        value = arena_printf(a, "coalesce(%s, %s)", value, filler_sql(a, c));
    return arena_strdup(a, value);
}

static bool in_key(const struct live_key *key, const char *column)
{
    for (size_t i = 0; i < key->column_count; i++)
        if (strcmp(key->columns[i], column) == 0)
            return true;
    return false;
}

/* A filled column stays as it is in rows that are there: its value is no data of the backup. */
static const char *conflict_sql(struct arena *a, const struct data_plan *plan,
                                const struct data_table *t)
{
    const struct live_key *key = t->into->keys;
    struct str set = str_on(a), columns = str_on(a);
    if (t->to->rows <= 0 || t->again ||
        (plan->wishes->mode != DATA_SKIP && plan->wishes->mode != DATA_UPDATE))
        return "";
    if (plan->wishes->mode == DATA_SKIP)
        return " ON CONFLICT DO NOTHING";
    for (size_t i = 0; i < key->column_count; i++)
        str_item(&columns, ", ", pg_ident(a, key->columns[i]));
    for (size_t i = 0; i < t->column_count; i++) {
        const struct data_column *c = &t->columns[i];
        if (!is_taken(c) || in_key(key, c->to->name) || c->to->identity == 'a')
            continue;
        const char *name = pg_ident(a, c->to->name);
        str_item(&set, ", ", arena_printf(a, "%s = excluded.%s", name, name));
    }
    if (set.length == 0)
        return " ON CONFLICT DO NOTHING";
    return arena_printf(a, " ON CONFLICT (%s) DO UPDATE SET %s", columns.text, set.text);
}

/* TRUE: ON CONFLICT after a FROM would be read as the start of a join. */
char *data_sql_insert(struct arena *a, const struct data_plan *plan, const struct data_table *t)
{
    struct str columns = str_on(a), values = str_on(a);
    for (size_t i = 0; i < t->column_count; i++) {
        const struct data_column *c = &t->columns[i];
        if (!is_taken(c) && c->fate != DATA_NEW_FILLED)
            continue;
        str_item(&columns, ", ", pg_ident(a, c->to->name));
        str_item(&values, ", ", data_sql_value(a, c));
    }
    return arena_printf(a,
                        "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s AS s WHERE "
                        "TRUE%s",
                        data_sql_table(a, t->into), columns.text, values.text, data_stage_name,
                        conflict_sql(a, plan, t));
}

/* The length that a value may have; -1: any. */
static long most_characters(const char *type)
{
    const char *at = strchr(type, '(');
    bool limited = str_starts(type, "character varying(") || str_starts(type, "character(");
    return limited ? strtol(at + 1, NULL, 10) : -1;
}

/* With the length of the type, except where an explicit cast would cut to it in silence. */
char *data_sql_try(struct arena *a, const struct data_column *c, int64_t from, int64_t to)
{
    const char *value = data_sql_value(a, c), *too_long = "FALSE", *where = "TRUE";
    long most = most_characters(c->to->type);
    if (most >= 0)
        too_long = arena_printf(a, "char_length(rtrim(CAST(%s AS text))) > %ld", value, most);
    else
        value = arena_printf(a, "CAST(%s AS %s)", value, c->to->type);
    if (to > 0)
        where = arena_printf(a, "s.%s BETWEEN %lld AND %lld", row_column, (long long)from,
                             (long long)to);
    return arena_printf(a, "SELECT count(*) FILTER (WHERE %s), count(%s) FROM %s AS s WHERE %s",
                        too_long, value, data_stage_name, where);
}

char *data_sql_changed(struct arena *a, const struct data_column *c)
{
    if (c->back == NULL || c->fate != DATA_CAST)
        return NULL;
    const char *value = arena_printf(a, "s.%s", pg_ident(a, c->from->name));
    const char *there = fill(a, c->there, value);
    return arena_printf(a,
                        "SELECT count(*) AS changed, min(CAST(%s AS text) || ' -> ' || CAST(%s AS "
                        "text)) AS example FROM %s AS s WHERE %s IS DISTINCT FROM %s",
                        value, there, data_stage_name, value, fill(a, c->back, there));
}
