#include "core/restore/data_live.h"

#include "base/str.h"
#include "core/restore/data_index.h"
#include "sql/queries.h"

/* Tables by their oid, for rows that come in any order. */
struct by_oid {
    struct live_table **items;
    size_t count;
};

static int compare_oid(const void *x, const void *y)
{
    return strcmp((*(struct live_table *const *)x)->oid, (*(struct live_table *const *)y)->oid);
}

static int find_oid(const void *key, const void *item)
{
    return strcmp(key, (*(struct live_table *const *)item)->oid);
}

static struct live_table *table_of(const struct by_oid *index, const char *oid)
{
    if (oid == NULL)
        return NULL;
    struct live_table **found = bsearch(oid, index->items, index->count, sizeof(void *), find_oid);
    return found == NULL ? NULL : *found;
}

static char first(const char *text)
{
    return (char)(text == NULL ? '\0' : text[0]);
}

static bool read_tables(struct arena *a, struct pg *db, struct live *live, struct by_oid *index,
                        struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_data_tables, PG_NONE, &rows, e))
        return false;
    live->tables = arena_array(a, rows.count + 1, sizeof(*live->tables));
    live->table_count = rows.count;
    index->items = arena_array(a, rows.count + 1, sizeof(void *));
    index->count = rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        live->tables[i] = (struct live_table){
            .oid = pg_cell(&rows, i, "oid"),
            .schema = pg_cell(&rows, i, "schema"),
            .name = pg_cell(&rows, i, "name"),
            .kind = first(pg_cell(&rows, i, "kind")),
            .secured = pg_cell_bool(&rows, i, "secured"),
            .owned = pg_cell_bool(&rows, i, "owned"),
            .insertable = pg_cell_bool(&rows, i, "insertable"),
            .undeletable = pg_cell_bool(&rows, i, "undeletable"),
            .indexes = pg_cell_int(&rows, i, "indexes"),
            .rows = -1,
        };
        index->items[i] = &live->tables[i];
    }
    qsort(index->items, index->count, sizeof(void *), compare_oid);
    for (size_t i = 0; i < rows.count; i++)
        live->tables[i].root = table_of(index, pg_cell(&rows, i, "root"));
    return true;
}

/* Both lists are sorted by oid as text. */
struct enums {
    struct live_enum *items;
    size_t count;
};

static bool read_enums(struct arena *a, struct pg *db, struct enums *enums, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_data_enums, PG_NONE, &rows, e))
        return false;
    const char **labels = arena_array(a, rows.count + 1, sizeof(*labels));
    enums->items = arena_array(a, rows.count + 1, sizeof(*enums->items));
    for (size_t i = 0; i < rows.count; i++) {
        const char *oid = pg_cell(&rows, i, "type");
        labels[i] = pg_cell(&rows, i, "label");
        if (enums->count == 0 || strcmp(enums->items[enums->count - 1].oid, oid) != 0)
            enums->items[enums->count++] = (struct live_enum){oid, labels + i, 0};
        enums->items[enums->count - 1].label_count++;
    }
    return true;
}

static int find_enum(const void *key, const void *item)
{
    return strcmp(key, ((const struct live_enum *)item)->oid);
}

static bool read_columns(struct arena *a, struct pg *db, const struct by_oid *index, struct err *e)
{
    struct pg_rows rows;
    struct enums enums = {0};
    if (!read_enums(a, db, &enums, e) || !pg_query(a, db, sql_data_columns, PG_NONE, &rows, e))
        return false;
    struct live_column *columns = arena_array(a, rows.count + 1, sizeof(*columns));
    for (size_t i = 0; i < rows.count; i++) {
        struct live_table *t = table_of(index, pg_cell(&rows, i, "oid"));
        const char *type = pg_cell(&rows, i, "enum");
        columns[i] = (struct live_column){
            .name = pg_cell(&rows, i, "name"),
            .type = pg_cell(&rows, i, "type"),
            .base = pg_cell(&rows, i, "base"),
            .category = first(pg_cell(&rows, i, "category")),
            .not_null = pg_cell_bool(&rows, i, "not_null"),
            .generated = pg_cell_bool(&rows, i, "generated"),
            .identity = first(pg_cell(&rows, i, "identity")),
            .expression = pg_cell(&rows, i, "expression"),
            .fields = pg_cell(&rows, i, "fields"),
            .labels = type == NULL ? NULL
                                   : bsearch(type, enums.items, enums.count, sizeof(*enums.items),
                                             find_enum),
        };
        if (t == NULL)
            continue; /* of an extension */
        if (t->columns == NULL)
            t->columns = columns + i;
        t->column_count++;
    }
    return true;
}

static bool read_keys(struct arena *a, struct pg *db, const struct by_oid *index, struct err *e)
{
    struct pg_rows rows;
    const char *last = "";
    if (!pg_query(a, db, sql_data_keys, PG_NONE, &rows, e))
        return false;
    const char **columns = arena_array(a, rows.count + 1, sizeof(*columns));
    struct live_key *keys = arena_array(a, rows.count + 1, sizeof(*keys));
    size_t count = 0;
    for (size_t i = 0; i < rows.count; i++) {
        struct live_table *t = table_of(index, pg_cell(&rows, i, "oid"));
        const char *key = pg_cell(&rows, i, "key");
        columns[i] = pg_cell(&rows, i, "column");
        if (t == NULL)
            continue;
        if (strcmp(last, key) != 0) {
            keys[count] = (struct live_key){pg_cell_bool(&rows, i, "is_primary"), columns + i, 0};
            if (t->keys == NULL)
                t->keys = keys + count;
            t->key_count++;
            count++;
        }
        keys[count - 1].column_count++;
        last = key;
    }
    return true;
}

static bool read_triggers(struct arena *a, struct pg *db, const struct by_oid *index, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_data_triggers, PG_NONE, &rows, e))
        return false;
    struct live_trigger *triggers = arena_array(a, rows.count + 1, sizeof(*triggers));
    for (size_t i = 0; i < rows.count; i++) {
        struct live_table *t = table_of(index, pg_cell(&rows, i, "oid"));
        triggers[i] =
            (struct live_trigger){pg_cell(&rows, i, "name"), first(pg_cell(&rows, i, "enabled")),
                                  pg_cell_bool(&rows, i, "copy")};
        if (t == NULL)
            continue;
        if (t->triggers == NULL)
            t->triggers = triggers + i;
        t->trigger_count++;
    }
    return true;
}

static bool read_foreign_keys(struct arena *a, struct pg *db, const struct by_oid *index,
                              struct live *live, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_data_foreign_keys, PG_NONE, &rows, e))
        return false;
    live->foreign_keys = arena_array(a, rows.count + 1, sizeof(*live->foreign_keys));
    for (size_t i = 0; i < rows.count; i++) {
        const struct live_foreign_key key = {
            .name = pg_cell(&rows, i, "name"),
            .definition = pg_cell(&rows, i, "definition"),
            .comment = pg_cell(&rows, i, "comment"),
            .child = table_of(index, pg_cell(&rows, i, "child")),
            .parent = table_of(index, pg_cell(&rows, i, "parent")),
            .index = pg_cell(&rows, i, "index"),
            .validated = pg_cell_bool(&rows, i, "validated"),
        };
        if (key.child != NULL && key.parent != NULL)
            live->foreign_keys[live->foreign_key_count++] = key;
    }
    return true;
}

static bool read_sequences(struct arena *a, struct pg *db, const struct by_oid *index,
                           struct live *live, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_data_sequences, PG_NONE, &rows, e))
        return false;
    live->sequences = arena_array(a, rows.count + 1, sizeof(*live->sequences));
    live->sequence_count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        live->sequences[i] = (struct live_sequence){
            .schema = pg_cell(&rows, i, "schema"),
            .name = pg_cell(&rows, i, "name"),
            .descending = pg_cell_int(&rows, i, "increment") < 0,
            .least = pg_cell_int(&rows, i, "least"),
            .most = pg_cell_int(&rows, i, "most"),
            .table = table_of(index, pg_cell(&rows, i, "oid")),
            .column = pg_cell(&rows, i, "column"),
        };
    return true;
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Each type that the manifest names, once. */
static const char *type_names(struct arena *a, const struct manifest *m)
{
    size_t all = 0, count = 0;
    for (size_t i = 0; i < m->table_count; i++)
        all += m->tables[i].column_count;
    const char **names = arena_array(a, all + 1, sizeof(*names));
    all = 0;
    for (size_t i = 0; i < m->table_count; i++)
        for (size_t c = 0; c < m->tables[i].column_count; c++)
            names[all++] = m->tables[i].columns[c].type;
    qsort(names, all, sizeof(*names), by_text);
    for (size_t i = 0; i < all; i++)
        if (count == 0 || strcmp(names[count - 1], names[i]) != 0)
            names[count++] = names[i];
    return pg_array(a, names, count);
}

static bool read_types(struct arena *a, struct pg *db, const struct manifest *m, struct live *live,
                       struct err *e)
{
    struct pg_rows types, casts;
    if (!pg_query(a, db, sql_data_types, PG_ARGS(type_names(a, m)), &types, e) ||
        !pg_query(a, db, sql_data_casts, PG_NONE, &casts, e))
        return false;
    live->types = arena_array(a, types.count + 1, sizeof(*live->types));
    live->type_count = types.count;
    for (size_t i = 0; i < types.count; i++)
        live->types[i] = (struct live_type){
            .name = pg_cell(&types, i, "name"),
            .base = pg_cell(&types, i, "base"),
            .category = first(pg_cell(&types, i, "category")),
            .is_enum = pg_cell_bool(&types, i, "enum"),
        };
    live->casts = arena_array(a, casts.count + 1, sizeof(*live->casts));
    live->cast_count = casts.count;
    for (size_t i = 0; i < casts.count; i++)
        live->casts[i] =
            (struct live_cast){pg_cell(&casts, i, "source"), pg_cell(&casts, i, "target")};
    return true;
}

static bool read_database(struct arena *a, struct pg *db, struct live *live, struct err *e)
{
    struct pg_rows row;
    if (!pg_query(a, db, sql_data_database, PG_NONE, &row, e))
        return false;
    live->database = pg_cell(&row, 0, "name");
    live->oid = pg_cell(&row, 0, "oid");
    live->role = pg_cell(&row, 0, "role");
    live->zone = pg_cell(&row, 0, "zone");
    live->encoding = pg_cell(&row, 0, "encoding");
    live->locks = pg_cell_int(&row, 0, "locks");
    return true;
}

bool live_read(struct arena *a, struct pg *db, const struct manifest *m, struct live *live,
               struct err *e)
{
    struct by_oid index = {0};
    *live = (struct live){0};
    return (read_database(a, db, live, e) && read_tables(a, db, live, &index, e) &&
            read_columns(a, db, &index, e) && read_keys(a, db, &index, e) &&
            read_triggers(a, db, &index, e) && read_foreign_keys(a, db, &index, live, e) &&
            data_index_read(a, db, live, e) && read_sequences(a, db, &index, live, e) &&
            read_types(a, db, m, live, e)) ||
           err_wrap(e, "could not read the catalog of the database");
}

bool live_count(struct arena *a, struct pg *db, struct live_table *const *tables, size_t count,
                struct err *e)
{
    enum { PER_QUERY = 100 };
    for (size_t from = 0; from < count; from += PER_QUERY) {
        struct str sql = str_on(a);
        struct pg_rows rows;
        for (size_t i = from; i < count && i < from + PER_QUERY; i++)
            str_item(&sql, " UNION ALL ",
                     arena_printf(a, "SELECT %zu AS item, (SELECT count(*) FROM %s%s) AS rows", i,
                                  tables[i]->kind == 'p' ? "" : "ONLY ",
                                  pg_ident2(a, tables[i]->schema, tables[i]->name)));
        if (!pg_query(a, db, sql.text, PG_NONE, &rows, e))
            return err_wrap(e, "could not count the rows that are in the database now");
        for (size_t r = 0; r < rows.count; r++)
            tables[pg_cell_int(&rows, r, "item")]->rows = pg_cell_int(&rows, r, "rows");
    }
    return true;
}

struct named {
    const char *schema, *name;
};

static int by_name(const void *key, const void *table)
{
    const struct named *wanted = key;
    const struct live_table *t = table;
    int order = strcmp(wanted->schema, t->schema);
    return order != 0 ? order : strcmp(wanted->name, t->name);
}

struct live_table *live_find(const struct live *live, const char *schema, const char *name)
{
    const struct named wanted = {schema, name};
    return bsearch(&wanted, live->tables, live->table_count, sizeof(*live->tables), by_name);
}

struct live_column *live_column_find(const struct live_table *t, const char *name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    return NULL;
}

void live_mark_generated(const struct live *live, struct manifest *m)
{
    for (size_t i = 0; i < m->table_count && m->compression == NULL; i++) {
        const struct live_table *t = live_find(live, m->tables[i].schema, m->tables[i].name);
        for (size_t c = 0; t != NULL && c < m->tables[i].column_count; c++) {
            const struct live_column *now = live_column_find(t, m->tables[i].columns[c].name);
            m->tables[i].columns[c].generated = now != NULL && now->generated;
        }
    }
}

bool live_has_label(const struct live_enum *labels, const char *label)
{
    for (size_t i = 0; i < labels->label_count; i++)
        if (strcmp(labels->labels[i], label) == 0)
            return true;
    return false;
}
