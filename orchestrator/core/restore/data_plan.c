#include "core/restore/data_planning.h"

static const char ledger_name[] = "_prisma_migrations";

/* From here on emptying a table at once, and shutting out its readers for it, is worth it. */
enum { MANY_DELETED = 1000 };

char *data_name(struct arena *a, const char *schema, const char *name)
{
    return arena_printf(a, "%s.%s", schema, name);
}

void data_block(struct planning *p, const struct data_table *t, const char *message,
                const char *hint)
{
    struct data_plan *plan = p->plan;
    if (plan->blocker_count == p->blocker_size) {
        size_t size = p->blocker_size * 2 + 16;
        struct data_blocker *items = arena_array(p->arena, size, sizeof(*items));
        if (plan->blocker_count > 0)
            memcpy(items, plan->blockers, plan->blocker_count * sizeof(*items));
        plan->blockers = items;
        p->blocker_size = size;
    }
    plan->blockers[plan->blocker_count++] = (struct data_blocker){
        .table = t == NULL ? NULL : data_name(p->arena, t->from->schema, t->from->name),
        .message = message,
        .hint = hint,
    };
}

bool data_is_busy(const struct data_table *t)
{
    return t->from->rows > 0 || t->to->rows != 0;
}

bool data_is_computed(const struct data_column *c)
{
    return c->fate == DATA_CAST || c->fate == DATA_NEW_FILLED ||
           (c->filler != NULL && (c->fate == DATA_LABELS_GONE || c->fate == DATA_NULLS));
}

bool data_fate_is_new(enum data_fate fate)
{
    return fate >= DATA_NEW_DEFAULT;
}

const char *data_fate_name(enum data_fate fate)
{
    static const char *const names[] = {
        [DATA_SAME] = "same",
        [DATA_RETYPED] = "retyped",
        [DATA_CAST] = "cast",
        [DATA_LABELS_GONE] = "labels-gone",
        [DATA_NULLS] = "nulls-replaced",
        [DATA_GONE] = "gone",
        [DATA_COMPUTED] = "computed",
        [DATA_NEW_DEFAULT] = "new-default",
        [DATA_NEW_NULL] = "new-null",
        [DATA_NEW_IDENTITY] = "new-identity",
        [DATA_NEW_GENERATED] = "new-generated",
        [DATA_NEW_FILLED] = "new-filled",
        [DATA_NEW_REQUIRED] = "new-required",
    };
    static_assert(ARRAY_LEN(names) == DATA_NEW_REQUIRED + 1, "a name for each fate");
    return names[fate];
}

/* The live table that it goes to: as told by --map, else of the same name. */
static void find_target(struct planning *p, struct data_table *t)
{
    t->to = live_find(p->plan->live, t->from->schema, t->from->name);
    for (size_t i = 0; i < p->table_map_count; i++)
        if (p->table_maps[i].from == t->from) {
            t->to = p->table_maps[i].to;
            t->renamed = strcmp(t->to->schema, t->from->schema) != 0 ||
                         strcmp(t->to->name, t->from->name) != 0;
        }
    if (t->to != NULL && t->to->kind != 'r' && t->to->kind != 'p') {
        data_block(p, t,
                   arena_printf(p->arena, "%s is %s now",
                                data_name(p->arena, t->to->schema, t->to->name),
                                t->to->kind == 'f' ? "a foreign table" : "a view"),
                   "Add --map 'TABLE=NEW' for the table that it went to.");
        t->to = NULL;
    }
    if (t->to != NULL)
        t->into = t->to->root != NULL ? t->to->root : t->to;
}

static bool is_ledger(const struct data_table *t)
{
    return strcmp(t->from->name, ledger_name) == 0 ||
           (t->to != NULL && strcmp(t->to->name, ledger_name) == 0);
}

/* Those that are loaded first, then those that are not. */
static void list_tables(struct planning *p)
{
    struct data_plan *plan = p->plan;
    const struct manifest *m = plan->manifest;
    size_t last = m->table_count;
    plan->tables = arena_array(p->arena, m->table_count + 1, sizeof(*plan->tables));
    plan->table_count = m->table_count;
    for (size_t i = 0; i < m->table_count; i++) {
        struct data_table t = {.from = &m->tables[i]};
        find_target(p, &t);
        t.ledger = is_ledger(&t);
        if (t.to != NULL && !t.ledger)
            plan->tables[plan->loaded++] = t;
        else
            plan->tables[--last] = t;
    }
}

static bool has_column(const struct data_table *t, const char *name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].to != NULL && strcmp(t->columns[i].to->name, name) == 0)
            return (t->columns[i].from != NULL && t->columns[i].fate != DATA_COMPUTED) ||
                   t->columns[i].fate == DATA_NEW_FILLED;
    return false;
}

static bool has_key(const struct data_table *t, bool primary)
{
    for (size_t i = 0; i < t->into->key_count; i++) {
        const struct live_key *key = &t->into->keys[i];
        bool whole = key->primary || !primary;
        for (size_t c = 0; whole && c < key->column_count; c++)
            whole = has_column(t, key->columns[c]);
        if (whole)
            return true;
    }
    return false;
}

static void plan_merge(struct planning *p, struct data_table *t)
{
    bool update = p->plan->wishes->mode == DATA_UPDATE;
    t->staged = "rows are merged";
    if (has_key(t, update))
        return;
    data_block(p, t,
               update ? "it has no primary key that the backup has values for: which row to update "
                        "cannot be told"
                      : "it has no unique key that the backup has values for: which rows are there "
                        "already cannot be told",
               "Restore with --replace, or merge the other tables in another way.");
}

/* What is in the live table now, and what becomes of it. */
static void plan_rows(struct planning *p, struct data_table *t)
{
    const char *rows = str_plural(p->arena, t->to->rows, "row", "rows");
    if (t->to->rows <= 0 || t->again)
        return;
    switch (p->plan->wishes->mode) {
    case DATA_EMPTY:
        data_block(p, t, arena_printf(p->arena, "it has %s now", rows),
                   "Add --replace to delete them first, --merge skip to keep them and add what is "
                   "missing, or --merge update to overwrite them with the backup's.");
        break;
    case DATA_REPLACE:
        t->deleted = t->to->rows;
        t->truncated = (t->deleted > MANY_DELETED || t->to->undeletable) && t->to->owned;
        break;
    case DATA_SKIP:
    case DATA_UPDATE:
        plan_merge(p, t);
        break;
    }
}

static void check_rights(struct planning *p, const struct data_table *t)
{
    const char *role = p->plan->live->role;
    if (t->into->secured || t->to->secured)
        data_block(p, t, arena_printf(p->arena, "row security applies to role \"%s\" there", role),
                   "Set admin-url to the owner of the table or to a role with BYPASSRLS.");
    else if (!t->into->insertable)
        data_block(p, t, arena_printf(p->arena, "role \"%s\" may not insert there", role),
                   "Set admin-url to a role that may.");
}

/* A second source of one live table finds it as the first one left it. */
static void mark_again(struct planning *p)
{
    struct data_plan *plan = p->plan;
    bool *seen = arena_array(p->arena, plan->live->table_count + 1, sizeof(*seen));
    for (size_t i = 0; i < plan->loaded; i++) {
        size_t to = (size_t)(plan->tables[i].to - plan->live->tables);
        plan->tables[i].again = seen[to];
        seen[to] = true;
    }
}

/* A partition that the backup lacks is left alone although its table is loaded. */
static bool is_untouched(const struct live_table *t, const struct live_table *all,
                         const bool *loaded)
{
    bool parent = t->kind == 'p' && t->root != NULL;
    return (t->kind == 'r' || t->kind == 'p') && !parent && !loaded[t - all] &&
           (t->root == NULL || !loaded[t->root - all]) && strcmp(t->name, ledger_name) != 0;
}

static void list_untouched(struct planning *p)
{
    struct data_plan *plan = p->plan;
    const struct live *live = plan->live;
    bool *loaded = arena_array(p->arena, live->table_count + 1, sizeof(*loaded));
    bool *passed = arena_array(p->arena, live->table_count + 1, sizeof(*passed));
    for (size_t i = 0; i < plan->loaded; i++) {
        loaded[plan->tables[i].to - live->tables] = true;
        passed[plan->tables[i].into - live->tables] = true;
    }
    plan->untouched = arena_array(p->arena, live->table_count + 1, sizeof(void *));
    for (size_t i = 0; i < live->table_count; i++)
        if (!passed[i] && is_untouched(&live->tables[i], live->tables, loaded))
            plan->untouched[plan->untouched_count++] = &live->tables[i];
}

static void sum_up(struct data_plan *plan)
{
    for (size_t i = 0; i < plan->table_count; i++) {
        struct data_table *t = &plan->tables[i];
        if (i < plan->loaded) {
            plan->rows += t->from->rows;
            plan->deleted += t->deleted;
            plan->lost_values += t->lost;
        } else if (!t->ledger) {
            t->lost = t->from->rows;
            plan->lost_rows += t->lost;
        }
    }
}

static void note_zone(struct planning *p)
{
    for (size_t i = 0; i < p->plan->loaded; i++)
        for (size_t c = 0; c < p->plan->tables[i].column_count; c++) {
            const struct data_column *column = &p->plan->tables[i].columns[c];
            if (column->fate != DATA_CAST || strstr(column->from->type, "time zone") == NULL ||
                strstr(column->to->type, "time zone") == NULL)
                continue;
            strlist_printf(&p->plan->notes,
                           "Times with and without time zone are converted in time zone %s, as "
                           "ALTER TABLE would.",
                           p->plan->live->zone);
            return;
        }
}

static void write_notes(struct planning *p)
{
    struct data_plan *plan = p->plan;
    const struct manifest *m = plan->manifest;
    note_zone(p);
    if (m->large_objects > 0)
        strlist_printf(&plan->notes,
                       "%s of the backup %s not restored: large objects are no data of a table.",
                       str_plural(p->arena, m->large_objects, "large object", "large objects"),
                       m->large_objects == 1 ? "is" : "are");
    for (size_t i = 0; i < plan->live->table_count; i++)
        if (plan->live->tables[i].kind == 'm')
            strlist_printf(
                &plan->notes,
                "Materialized views keep what they have: REFRESH MATERIALIZED VIEW %s.",
                pg_ident2(p->arena, plan->live->tables[i].schema, plan->live->tables[i].name));
    if (m->configuration_count > 0)
        strlist_add(&plan->notes, "Tables of extensions are left as they are.");
    for (size_t i = 0; i < p->default_count; i++)
        if (!p->defaults[i].used)
            strlist_printf(&plan->notes, "--default for \"%s\".\"%s\" is not needed.",
                           p->defaults[i].table->name, p->defaults[i].column->name);
    for (size_t i = 0; i < plan->taken_off_count; i++)
        if (!plan->taken_off[i]->validated)
            strlist_printf(&plan->notes,
                           "Foreign key \"%s\" is NOT VALID in the database and stays so: rows are "
                           "not checked by it.",
                           plan->taken_off[i]->name);
}

/* What the server holds until the end of the transaction: tables, their indexes, and what belongs
 * to a foreign key that is taken off. */
static void check_locks(struct planning *p)
{
    enum { PER_KEY = 8, USABLE_PERCENT = 90 };
    const struct data_plan *plan = p->plan;
    int64_t locks = (int64_t)(plan->taken_off_count * PER_KEY + plan->remade_count);
    for (size_t i = 0; i < plan->loaded; i++)
        if (data_is_busy(&plan->tables[i]))
            locks += 1 + plan->tables[i].into->indexes;
    if (plan->live->locks == 0 || locks <= plan->live->locks * USABLE_PERCENT / 100)
        return;
    data_block(p, NULL,
               arena_printf(p->arena,
                            "it needs about %s locks in one transaction, the server has room for "
                            "%s",
                            str_count(p->arena, locks), str_count(p->arena, plan->live->locks)),
               "Raise max_locks_per_transaction and restart the server.");
}

static size_t count_columns(const struct manifest *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->table_count; i++)
        count += m->tables[i].column_count;
    return count;
}

bool data_plan_make(struct arena *a, const struct data_inputs *from, struct data_plan *plan,
                    struct err *e)
{
    struct planning p = {.arena = a, .plan = plan, .scans = from->scans, .trials = from->trials};
    *plan = (struct data_plan){.manifest = from->manifest,
                               .live = from->live,
                               .wishes = from->wishes,
                               .suggestions = strlist_on(a),
                               .notes = strlist_on(a)};
    plan->wanted.items =
        arena_array(a, count_columns(from->manifest) + 1, sizeof(*plan->wanted.items));
    if (!data_plan_read_wishes(&p, e))
        return false;
    list_tables(&p);
    mark_again(&p);
    for (size_t i = 0; i < plan->loaded; i++) {
        check_rights(&p, &plan->tables[i]);
        data_plan_columns(&p, &plan->tables[i]);
        plan_rows(&p, &plan->tables[i]);
    }
    list_untouched(&p);
    data_plan_suggest(&p);
    data_plan_order(&p);
    check_locks(&p);
    sum_up(plan);
    write_notes(&p);
    return true;
}

struct live_table **data_plan_targets(struct arena *a, const struct data_plan *plan, size_t *count)
{
    struct live_table **targets = arena_array(a, plan->loaded + 1, sizeof(void *));
    *count = 0;
    for (size_t i = 0; i < plan->loaded; i++)
        if (!plan->tables[i].again && !plan->tables[i].to->secured)
            targets[(*count)++] = plan->tables[i].to;
    return targets;
}

static char *losses(struct arena *a, const struct data_plan *plan)
{
    const char *values = str_plural(a, plan->lost_values, "value", "values");
    const char *rows = str_plural(a, plan->lost_rows, "row", "rows");
    if (plan->lost_rows > 0 && plan->lost_values > 0)
        return arena_printf(a, "%s and %s", rows, values);
    return arena_strdup(a, plan->lost_rows > 0 ? rows : values);
}

bool data_plan_check(struct arena *a, const struct data_plan *plan, struct err *e)
{
    if (plan->blocker_count > 0) {
        const struct data_blocker *b = &plan->blockers[0];
        err_set(e, ERR_PREFLIGHT, "the data cannot be restored like this: %s%s%s",
                b->table == NULL ? "" : b->table, b->table == NULL ? "" : ": ", b->message);
        if (plan->blocker_count > 1)
            err_detail(e, "%zu things are in the way; the preview (--dry-run) names them all.",
                       plan->blocker_count);
        err_hint(e, "%s", b->hint);
        return false;
    }
    if ((plan->lost_rows == 0 && plan->lost_values == 0) || plan->wishes->accept_loss)
        return true;
    err_set(e, ERR_UNSAFE, "%s of the backup would be nowhere afterwards", losses(a, plan));
    err_detail(
        e, "The tables or columns that they were in are gone, or their types cannot hold them.");
    if (plan->suggestions.count > 0)
        err_hint(e, "Renamed? Then add %s. Else add --accept-loss.", plan->suggestions.items[0]);
    else
        err_hint(e, "Add --accept-loss when that is meant; --map OLD=NEW for what was renamed.");
    return false;
}

static void put_mapping(struct str *s, const struct data_table *t, const char *done)
{
    str_printf(s, "%s.%s>%s.%s>%s.%s%s\n", t->from->schema, t->from->name, t->to->schema,
               t->to->name, t->into->schema, t->into->name, done);
    for (size_t c = 0; c < t->column_count; c++) {
        const struct data_column *column = &t->columns[c];
        str_printf(s, " %s>%s:%s:%s\n", column->from == NULL ? "" : column->from->name,
                   column->to == NULL ? "" : column->to->name, data_fate_name(column->fate),
                   column->to == NULL ? "" : column->to->type);
    }
}

/* By the manifest: the order of loading depends on what is there. */
char *data_plan_mapping(struct arena *a, const struct data_plan *plan)
{
    struct str s = str_on(a);
    const struct manifest *m = plan->manifest;
    const struct data_table **sorted = arena_array(a, m->table_count + 1, sizeof(void *));
    for (size_t i = 0; i < plan->loaded; i++)
        sorted[plan->tables[i].from - m->tables] = &plan->tables[i];
    for (size_t i = 0; i < m->table_count; i++)
        if (sorted[i] != NULL)
            put_mapping(&s, sorted[i], "");
    return s.text;
}

/* Which locks are taken hangs on it. */
static const char *done_to(const struct data_table *t)
{
    if (t->deleted > 0)
        return t->staged != NULL ? " emptied staged" : " emptied";
    return t->staged != NULL ? " staged" : "";
}

char *data_plan_digest(struct arena *a, const struct data_plan *plan)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < plan->loaded; i++)
        put_mapping(&s, &plan->tables[i], done_to(&plan->tables[i]));
    for (size_t i = 0; i < plan->taken_off_count; i++)
        str_printf(&s, "off %s\n", plan->taken_off[i]->definition);
    for (size_t i = 0; i < plan->remade_count; i++)
        str_printf(&s, "remade %s\n", plan->remade[i]->definition);
    return s.text;
}
