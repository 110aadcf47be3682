#include "core/restore/data_planning.h"

static const struct wish_default *default_of(struct planning *p, const struct live_table *t,
                                             const struct live_column *c)
{
    for (size_t i = 0; i < p->default_count; i++)
        if (p->defaults[i].table == t && p->defaults[i].column == c) {
            p->defaults[i].used = true;
            return &p->defaults[i];
        }
    return NULL;
}

static const struct live_column *target_of(struct planning *p, const struct data_table *t,
                                           const struct manifest_column *from, bool *renamed)
{
    for (size_t i = 0; i < p->column_map_count; i++)
        if (p->column_maps[i].from == from) {
            *renamed = strcmp(p->column_maps[i].to, from->name) != 0;
            return live_column_find(t->into, p->column_maps[i].to);
        }
    return live_column_find(t->into, from->name);
}

static const struct live_type *type_of(const struct live *live, const char *name)
{
    for (size_t i = 0; i < live->type_count; i++)
        if (strcmp(live->types[i].name, name) == 0)
            return &live->types[i];
    return NULL;
}

static bool has_cast(const struct live *live, const char *source, const char *target)
{
    for (size_t i = 0; i < live->cast_count; i++)
        if (strcmp(live->casts[i].source, source) == 0 &&
            strcmp(live->casts[i].target, target) == 0)
            return true;
    return false;
}

/* "name" or "name(": of that type with any length. */
static bool is_type(const char *type, const char *name)
{
    size_t n = strlen(name);
    return strncmp(type, name, n) == 0 && (type[n] == '\0' || type[n] == '(');
}

static long length_of(const char *type)
{
    const char *at = strchr(type, '(');
    return at == NULL ? -1 : strtol(at + 1, NULL, 10);
}

static bool is_text(const char *type)
{
    return strcmp(type, "text") == 0 || is_type(type, "character varying");
}

/*
 * Does the new type read what COPY wrote of the old one, and mean the same by it?  Only
 * what is certain: anything else takes the way through a cast.
 */
static bool reads_text_of(const char *from, const char *to)
{
    static const char *const pairs[][2] = {
        {"smallint", "integer"},      {"smallint", "bigint"}, {"smallint", "numeric"},
        {"integer", "bigint"},        {"integer", "numeric"}, {"bigint", "numeric"},
        {"real", "double precision"},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (strcmp(pairs[i][0], from) == 0 && strcmp(pairs[i][1], to) == 0)
            return true;
    if (!is_text(to) || is_type(from, "character") || strcmp(from, "bpchar") == 0 ||
        strcmp(from, "boolean") == 0 || strcmp(from, "\"char\"") == 0)
        return false;
    return length_of(to) < 0 || (is_type(from, "character varying") && length_of(from) >= 0 &&
                                 length_of(from) <= length_of(to));
}

/* Numbers, times, booleans: whether a value survived can be told by casting it back. */
static bool is_exact_kind(char category)
{
    return strchr("NDTB", category) != NULL;
}

static const char *cast_sql(struct arena *a, const struct live *live, const char *from,
                            const char *to, const char *as)
{
    bool direct = has_cast(live, from, to) || strcmp(from, to) == 0 || strcmp(from, "text") == 0;
    return direct ? arena_printf(a, "CAST(%%s AS %s)", as)
                  : arena_printf(a, "CAST(CAST(%%s AS text) AS %s)", as);
}

/* Through a column of the old type, where that is still there, and a cast; without the new type's
 * length, which an explicit cast would cut to in silence. */
static void plan_cast(struct planning *p, struct data_column *c)
{
    const struct live *live = p->plan->live;
    const struct live_type *old = type_of(live, c->from->type);
    c->fate = DATA_CAST;
    if (old == NULL || old->is_enum) {
        c->staging = "text";
        c->cast = arena_printf(p->arena, "CAST(%%s AS %s)", c->to->base);
        return;
    }
    c->staging = old->name;
    c->cast = cast_sql(p->arena, live, old->base, c->to->base, c->to->base);
    if (!is_exact_kind(old->category) || !is_exact_kind(c->to->category))
        return;
    c->there = cast_sql(p->arena, live, old->base, c->to->base, c->to->type);
    c->back = cast_sql(p->arena, live, c->to->base, old->base, old->name);
}

/* What was read of an enum's values; wanted when nothing was. */
static const struct data_scan *scan_of(struct planning *p, const struct data_table *t,
                                       const struct data_column *c)
{
    size_t column = (size_t)(c->from - t->from->columns);
    for (size_t i = 0; p->scans != NULL && i < p->scans->count; i++) {
        const struct data_scan *s = &p->scans->items[i];
        if (s->table == t->from && s->column == column)
            return s;
    }
    struct data_scans *wanted = &p->plan->wanted;
    wanted->items[wanted->count++] =
        (struct data_scan){.table = t->from, .column = column, .labels = c->to->labels};
    return NULL;
}

static void plan_enum(struct planning *p, const struct data_table *t, struct data_column *c)
{
    bool same = strcmp(c->from->type, c->to->type) == 0;
    const struct data_scan *scan = c->from->values > 0 ? scan_of(p, t, c) : NULL;
    c->fate = same ? DATA_SAME : DATA_RETYPED;
    if (scan == NULL || scan->strange == 0)
        return;
    c->fate = DATA_LABELS_GONE;
    c->staging = "text";
    c->lost = scan->strange;
    c->values = scan->values;
}

/* What stands for values that the enum lacks: the default that the user gave, the column's, NULL.
 */
static void fill_labels(struct planning *p, const struct data_table *t, struct data_column *c)
{
    const struct wish_default *wish = default_of(p, t->into, c->to);
    c->filler = wish != NULL ? wish->expression : c->to->expression;
    if (wish != NULL)
        c->lost = 0; /* what stands for them is said */
    if (c->filler != NULL || !c->to->not_null)
        return;
    const char *name = data_name(p->arena, t->into->schema, t->into->name);
    data_block(p, t,
               arena_printf(p->arena, "column \"%s\" has values that its enum lacks now: %s",
                            c->to->name, c->values),
               arena_printf(p->arena,
                            "It may not be NULL and has no default: add --default '%s.%s=%s', or"
                            " add the labels to the enum.",
                            name, c->to->name, "''LABEL''"));
}

static void plan_nulls(struct planning *p, const struct data_table *t, struct data_column *c)
{
    int64_t nulls = t->from->rows - c->from->values;
    if (!c->to->not_null || nulls <= 0 || c->fate == DATA_COMPUTED)
        return;
    const struct wish_default *wish = default_of(p, t->into, c->to);
    c->nulls = nulls;
    if (c->fate == DATA_SAME || c->fate == DATA_RETYPED)
        c->fate = DATA_NULLS;
    if (wish != NULL) {
        c->filler = wish->expression;
        return;
    }
    data_block(
        p, t,
        arena_printf(p->arena, "column \"%s\" may not be NULL any more, and is in %s of the backup",
                     c->to->name, str_plural(p->arena, nulls, "row", "rows")),
        arena_printf(p->arena, "Add --default '%s.%s=%s' for what shall stand there instead.",
                     data_name(p->arena, t->into->schema, t->into->name), c->to->name,
                     c->to->expression != NULL ? c->to->expression : "EXPRESSION"));
}

/* What the values were found to be when they were computed. */
static void take_trial(struct planning *p, const struct data_table *t, struct data_column *c)
{
    const struct data_trial *found = NULL;
    for (size_t i = 0; p->trials != NULL && i < p->trials->count && data_is_computed(c); i++)
        if (p->trials->items[i].table == t->from &&
            strcmp(p->trials->items[i].column, c->to->name) == 0)
            found = &p->trials->items[i];
    if (found == NULL)
        return;
    c->changed = found->changed;
    c->example = found->example;
    c->lost += found->changed;
    if (found->refused != NULL)
        data_block(
            p, t, arena_printf(p->arena, "column \"%s\": %s", c->to->name, found->refused),
            arena_printf(p->arena,
                         "Say by SQL what shall stand there: --default '%s.%s=EXPRESSION'; it"
                         " may name the columns of the backup.",
                         data_name(p->arena, t->into->schema, t->into->name), c->to->name));
}

/* A type that has changed: the cast, unless the user says what to compute. */
static void plan_other_type(struct planning *p, const struct data_table *t, struct data_column *c)
{
    plan_cast(p, c);
    const struct wish_default *wish = default_of(p, t->into, c->to);
    if (wish == NULL)
        return;
    c->filler = wish->expression;
    c->replaced = true;
    c->back = NULL;
}

/* The text of a value does not name its fields: with others it would be read wrongly in silence. */
static bool has_other_fields(const struct data_column *c)
{
    return c->from->fields != NULL && c->to->fields != NULL && c->from->values > 0 &&
           strcmp(c->from->fields, c->to->fields) != 0;
}

static void plan_fields(struct planning *p, const struct data_table *t, struct data_column *c)
{
    if (default_of(p, t->into, c->to) != NULL) {
        plan_other_type(p, t, c);
        return;
    }
    c->fate = DATA_SAME;
    data_block(p, t,
               arena_printf(p->arena,
                            "column \"%s\": its type has other fields now: (%s), then (%s)",
                            c->to->name, c->to->fields, c->from->fields),
               arena_printf(p->arena,
                            "Say by SQL what shall stand there: --default '%s.%s=EXPRESSION'; the"
                            " column itself has the values of then, in their order, under the"
                            " names of now.",
                            data_name(p->arena, t->into->schema, t->into->name), c->to->name));
}

static void plan_old_column(struct planning *p, const struct data_table *t, struct data_column *c)
{
    if (c->to == NULL) {
        c->fate = DATA_GONE;
        c->lost = c->field < 0 ? 0 : c->from->values;
        return;
    }
    if (c->to->generated) {
        c->fate = DATA_COMPUTED;
        return;
    }
    if (c->to->labels != NULL)
        plan_enum(p, t, c);
    else if (strcmp(c->from->type, c->to->type) == 0 && has_other_fields(c))
        plan_fields(p, t, c);
    else if (strcmp(c->from->type, c->to->type) == 0)
        c->fate = DATA_SAME;
    else if (reads_text_of(c->from->type, c->to->type))
        c->fate = DATA_RETYPED;
    else
        plan_other_type(p, t, c);
    if (c->fate == DATA_LABELS_GONE)
        fill_labels(p, t, c);
    plan_nulls(p, t, c);
    /* An enum that is staged for its NULLs takes the text like any other. */
    if (c->staging == NULL)
        c->staging = c->to->labels != NULL ? "text" : c->to->type;
    if (c->cast == NULL && c->to->labels != NULL)
        c->cast = arena_printf(p->arena, "CAST(%%s AS %s)", c->to->base);
    take_trial(p, t, c);
}

static void plan_new_column(struct planning *p, struct data_table *t, const struct live_column *to)
{
    struct data_column *c = &t->columns[t->column_count++];
    const struct wish_default *wish = default_of(p, t->into, to);
    *c = (struct data_column){.to = to, .field = -1};
    if (to->generated)
        c->fate = DATA_NEW_GENERATED;
    else if (wish != NULL)
        c->fate = DATA_NEW_FILLED;
    else if (to->identity != '\0')
        c->fate = DATA_NEW_IDENTITY;
    else if (to->expression != NULL)
        c->fate = DATA_NEW_DEFAULT;
    else
        c->fate = to->not_null && t->from->rows > 0 ? DATA_NEW_REQUIRED : DATA_NEW_NULL;
    if (wish != NULL && !to->generated)
        c->filler = wish->expression;
    take_trial(p, t, c);
    if (c->fate != DATA_NEW_REQUIRED)
        return;
    data_block(p, t,
               arena_printf(p->arena, "column \"%s\" is new, may not be NULL and has no default",
                            to->name),
               arena_printf(p->arena,
                            "Add --default '%s.%s=EXPRESSION'; it may name the columns of the"
                            " backup. Or, if it is one of them renamed, --map '%s.OLD=%s'.",
                            data_name(p->arena, t->into->schema, t->into->name), to->name,
                            data_name(p->arena, t->from->schema, t->from->name), to->name));
}

static bool is_target(const struct data_table *t, const struct live_column *to, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (t->columns[i].to == to)
            return true;
    return false;
}

static const char *why_staged(const struct data_table *t)
{
    static const struct {
        enum data_fate fate;
        const char *why;
    } reasons[] = {{DATA_CAST, "a type has changed"},
                   {DATA_LABELS_GONE, "an enum lacks values"},
                   {DATA_NULLS, "NULLs are replaced"},
                   {DATA_NEW_FILLED, "a new column is filled"}};
    for (size_t r = 0; r < ARRAY_LEN(reasons); r++)
        for (size_t i = 0; i < t->column_count; i++)
            if (t->columns[i].fate == reasons[r].fate)
                return reasons[r].why;
    return NULL;
}

/* Nothing but rows: no columns, or all are computed. */
static bool has_only_rows(const struct data_table *t)
{
    for (size_t i = 0; i < t->from->column_count; i++)
        if (!t->from->columns[i].generated)
            return false;
    for (size_t i = 0; i < t->into->column_count; i++)
        if (!t->into->columns[i].generated)
            return false;
    return true;
}

/* Some column of the file must go somewhere: an INSERT of nothing cannot be written. */
static bool takes_any(const struct data_table *t)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].to != NULL &&
            ((t->columns[i].from != NULL && t->columns[i].fate != DATA_COMPUTED) ||
             t->columns[i].fate == DATA_NEW_FILLED))
            return true;
    return has_only_rows(t);
}

void data_plan_columns(struct planning *p, struct data_table *t)
{
    int field = 0;
    t->columns = arena_array(p->arena, t->from->column_count + t->into->column_count + 1,
                             sizeof(*t->columns));
    for (size_t i = 0; i < t->from->column_count; i++) {
        struct data_column *c = &t->columns[t->column_count];
        const struct manifest_column *from = &t->from->columns[i];
        *c = (struct data_column){.from = from, .field = from->generated ? -1 : field++};
        c->to = target_of(p, t, from, &c->renamed);
        if (c->to != NULL && from->generated)
            continue; /* its values are not in the file: as if it were new, or generated as before
                       */
        if (c->to != NULL && is_target(t, c->to, t->column_count)) {
            data_block(p, t,
                       arena_printf(p->arena, "two columns of the backup would go into \"%s\"",
                                    c->to->name),
                       "Change the --map options.");
            continue;
        }
        plan_old_column(p, t, c);
        t->lost += c->lost;
        t->column_count++;
    }
    size_t old = t->column_count;
    for (size_t i = 0; i < t->into->column_count; i++)
        if (!is_target(t, &t->into->columns[i], old))
            plan_new_column(p, t, &t->into->columns[i]);
    t->staged = why_staged(t);
    if (!takes_any(t) && t->from->rows > 0)
        data_block(p, t, "no column of it is left in the database",
                   "Add --map 'TABLE.OLD=NEW' for columns that were renamed.");
}
