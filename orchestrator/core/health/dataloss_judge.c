#include "core/health/dataloss_match.h"

struct rule {
    const char *id, *level, *finds, *advice;
};

enum rule_number { DROP_TABLE, DROP_COLUMN, RENAMED_COLUMN, ROWS_LOST, VALUES_LOST };

static const struct rule rules[] = {
    [DROP_TABLE] = {"drop-table", "error", "a table with rows is gone",
                    "If it is meant: -- migsafe: allow drop-table TABLE, in the migration."},
    [DROP_COLUMN] = {"drop-column", "error",
                     "a column that held values is gone, or was dropped and added again",
                     "If it is meant: -- migsafe: allow drop-column TABLE.COLUMN, in the "
                     "migration."},
    [RENAMED_COLUMN] = {"renamed-column", "error",
                        "a column that held values is gone, and a new one of its type lacks them: "
                        "a rename that lost its data",
                        "ALTER TABLE ... RENAME COLUMN keeps the values; Prisma writes DROP and "
                        "ADD."},
    [ROWS_LOST] = {"rows-lost", "error for tables that the migration touches, else warning",
                   "a table has fewer rows",
                   "If it is meant: -- migsafe: allow rows-lost TABLE, in the migration."},
    [VALUES_LOST] = {"values-lost", "error for tables that the migration touches, else warning",
                     "a column that held values is all NULL",
                     "If it is meant: -- migsafe: allow values-lost TABLE.COLUMN, in the "
                     "migration."},
};

void dataloss_list(FILE *to)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        fprintf(to, "| %s | %s | %s | %s |\n", rules[i].id, rules[i].level, rules[i].finds,
                rules[i].advice);
}

struct judging {
    struct arena *arena;
    const struct table_match *match;
    struct findings *found;
};

/* column: NULL for the table itself. */
static void add(const struct judging *j, enum rule_number number, const char *column,
                const char *message)
{
    const struct manifest_table *was = j->match->was;
    bool depends = number == ROWS_LOST || number == VALUES_LOST;
    findings_add(
        j->found,
        (struct finding){
            .rule = rules[number].id,
            .level = depends && !j->match->blamed ? FINDING_WARNING : FINDING_ERROR,
            .target = arena_printf(j->arena, "%s.%s%s%s", was->schema, was->name,
                                   column == NULL ? "" : ".", column == NULL ? "" : column),
            .message = message,
            .advice = rules[number].advice,
        });
}

/* The table under a new name: every column, and as many rows; or more, the fewest of those. */
static bool is_renamed(struct live_catalog *now, const struct manifest_table *was)
{
    struct live_table *best = NULL;
    for (size_t i = 0; i < now->count; i++) {
        struct live_table *t = &now->tables[i];
        if (t->is_new && t->wanted && !t->taken && t->rows >= was->rows &&
            (best == NULL || t->rows < best->rows) && live_table_fits(t, was))
            best = t;
    }
    if (best != NULL)
        best->taken = true;
    return best != NULL;
}

static int64_t values_before(const struct judging *j, const struct column_match *lost)
{
    return lost->was->values < 0 ? j->match->was->rows : lost->was->values;
}

/* The added column with most values that can stand for the lost one: the same type, or its name. */
static struct live_column *successor(const struct judging *j, const struct column_match *lost)
{
    struct live_table *t = j->match->is;
    struct live_column *best = NULL;
    for (size_t i = 0; i < t->column_count; i++) {
        struct live_column *c = &t->columns[i];
        bool fits = c->added && !c->taken &&
                    (strcmp(c->type, lost->was->type) == 0 ||
                     (lost->recreated && strcmp(c->name, lost->was->name) == 0));
        if (fits && (best == NULL || c->values > best->values))
            best = c;
    }
    return best;
}

static void judge_lost(const struct judging *j, const struct column_match *lost)
{
    struct arena *a = j->arena;
    int64_t before = values_before(j, lost);
    int64_t rows_gone = j->match->was->rows - j->match->is->rows;
    struct live_column *next = successor(j, lost);
    if (next != NULL && !next->computed &&
        next->values >= before - (rows_gone > 0 ? rows_gone : 0)) {
        next->taken = true;
        return;
    }
    const char *values = str_plural(a, before, "value", "values");
    if (lost->recreated) {
        add(j, DROP_COLUMN, lost->was->name,
            arena_printf(a, "column was dropped and added again: %s lost", values));
    } else if (next != NULL) {
        next->taken = true;
        add(j, RENAMED_COLUMN, lost->was->name,
            arena_printf(a, "column is gone and \"%s\" of the same type is new: %s before, %s now",
                         next->name, values, str_count(a, next->values)));
    } else {
        add(j, DROP_COLUMN, lost->was->name, arena_printf(a, "column is gone: %s lost", values));
    }
}

static int by_values(const void *a, const void *b)
{
    const struct column_match *x = a, *y = b;
    if (x->was->values != y->was->values)
        return x->was->values > y->was->values ? -1 : 1;
    return strcmp(x->was->name, y->was->name);
}

/* The fullest first: it has first choice among the added columns. */
static void judge_lost_columns(const struct judging *j)
{
    const struct table_match *m = j->match;
    struct column_match *lost = arena_array(j->arena, m->was->column_count + 1, sizeof(*lost));
    size_t n = 0;
    for (size_t i = 0; i < m->was->column_count; i++)
        if (m->columns[i].is == NULL && values_before(j, &m->columns[i]) > 0)
            lost[n++] = m->columns[i];
    qsort(lost, n, sizeof(*lost), by_values);
    for (size_t i = 0; i < n; i++)
        judge_lost(j, &lost[i]);
}

static void judge_table(const struct judging *j)
{
    const struct table_match *m = j->match;
    struct arena *a = j->arena;
    if (m->is->rows < m->was->rows)
        add(j, ROWS_LOST, NULL,
            arena_printf(a, "%s before, %s now", str_plural(a, m->was->rows, "row", "rows"),
                         str_count(a, m->is->rows)));
    judge_lost_columns(j);
    for (size_t i = 0; i < m->was->column_count && m->is->rows > 0; i++) {
        const struct column_match *c = &m->columns[i];
        if (c->is != NULL && c->is->want == WANT_ANY && c->is->values == 0)
            add(j, VALUES_LOST, c->was->name,
                arena_printf(a, "column is all NULL: %s before, none now",
                             str_plural(a, c->was->values, "value", "values")));
    }
}

void dataloss_judge(struct arena *a, const struct dataloss_matches *matches,
                    struct live_catalog *now, struct findings *found)
{
    for (size_t i = 0; i < matches->count; i++) {
        const struct table_match *m = &matches->items[i];
        const struct judging j = {.arena = a, .match = m, .found = found};
        if (m->is != NULL)
            judge_table(&j);
        else if (m->was->rows > 0 && !is_renamed(now, m->was))
            add(&j, DROP_TABLE, NULL,
                arena_printf(a, "table is gone: %s lost",
                             str_plural(a, m->was->rows, "row", "rows")));
    }
}
