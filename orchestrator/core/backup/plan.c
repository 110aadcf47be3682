#include "core/backup/plan.h"

#include "base/fs.h"
#include "sql/queries.h"

enum { SEQUENCES_AT_ONCE = 200, LARGE_AT_ONCE = 32, LARGE_WEIGHT = 4096 };

/* A query in UTF-8, and once more in the encoding of the database. */
struct both {
    const char *encoding;
    struct pg_rows utf8, own;
};

static bool ask_both(struct arena *a, struct pg *db, const char *sql, struct pg_args args,
                     struct both *rows, struct err *e)
{
    if (!pg_query(a, db, sql, args, &rows->utf8, e))
        return false;
    rows->own = rows->utf8;
    if (strcmp(rows->encoding, "UTF8") == 0)
        return true;
    if (!pg_execf(db, e, "SET client_encoding = %s", pg_literal(a, rows->encoding)) ||
        !pg_query(a, db, sql, args, &rows->own, e) ||
        !pg_exec(db, "SET client_encoding = 'UTF8'", e))
        return false;
    return rows->own.count == rows->utf8.count ||
           err_set(e, ERR_INTERNAL, "the same question had two answers");
}

static struct plan_name name_of(const struct pg_rows *rows, size_t i)
{
    return (struct plan_name){.oid = pg_cell(rows, i, "oid"),
                              .schema = pg_cell(rows, i, "schema"),
                              .name = pg_cell(rows, i, "name"),
                              .owner = pg_cell(rows, i, "owner"),
                              .quoted = pg_cell(rows, i, "quoted")};
}

/* As pg_dump has it: without a list when there is nothing to list. */
static const char *copy_of(struct arena *a, const struct plan_table *t)
{
    if (t->condition != NULL)
        return arena_printf(a, "(SELECT %s FROM ONLY %s %s)", t->columns == NULL ? "" : t->columns,
                            t->in.quoted, t->condition);
    return t->columns == NULL ? t->in.quoted : arena_printf(a, "%s (%s)", t->in.quoted, t->columns);
}

static void take_table(struct arena *a, const struct both *rows, size_t i,
                       const struct plan_spec *spec, struct plan_table *t)
{
    const struct pg_rows *own = &rows->own;
    *t = (struct plan_table){
        .in = name_of(own, i),
        .columns = pg_cell(own, i, "columns"),
        .root = pg_cell(own, i, "root_quoted"),
        .condition = pg_cell(own, i, "condition"),
        .refers_to = pg_cell(own, i, "refers_to"),
        .generated_counts = pg_cell(own, i, "generated_counts"),
        .of_extension = pg_cell(own, i, "extension") != NULL,
        .is_heap = pg_cell_bool(own, i, "is_heap"),
        .is_empty = pg_cell_bool(own, i, "is_empty"),
        .heap_bytes = pg_cell_int(own, i, "heap_bytes"),
        .toast_bytes = pg_cell_int(own, i, "toast_bytes"),
        .label = pg_ident2(a, pg_cell(&rows->utf8, i, "schema"), pg_cell(&rows->utf8, i, "name")),
    };
    t->copy = copy_of(a, t);
    const char *file = arena_printf(a, "table_%s.dat%s", t->in.oid, spec->suffix);
    datafile_init(&t->file, fs_join(a, spec->folder, file));
}

static struct manifest_table manifest_of(const struct pg_rows *rows, size_t i)
{
    return (struct manifest_table){.schema = pg_cell(rows, i, "schema"),
                                   .name = pg_cell(rows, i, "name"),
                                   .oid = pg_cell(rows, i, "oid"),
                                   .load_root_schema = pg_cell(rows, i, "root_schema"),
                                   .load_root_name = pg_cell(rows, i, "root_name"),
                                   .extension = pg_cell(rows, i, "extension"),
                                   .condition = pg_cell(rows, i, "condition"),
                                   .bytes = -1};
}

/* Rows of the answer belong to one table as long as the oid is the same.  values 0: never NULL; -1:
 * to be counted. */
static size_t take_columns(struct arena *a, const struct pg_rows *rows, size_t from,
                           struct plan_table *t)
{
    size_t end = from;
    while (end < rows->count && strcmp(pg_cell(rows, end, "oid"), t->in.oid) == 0)
        end++;
    t->to->column_count = end - from;
    t->to->columns = arena_array(a, end - from + 1, sizeof(*t->to->columns));
    t->nulls = arena_array(a, end - from + 1, sizeof(*t->nulls));
    for (size_t i = 0; i < end - from; i++) {
        bool generated = pg_cell_bool(rows, from + i, "generated");
        bool never_null = pg_cell_bool(rows, from + i, "never_null");
        t->to->columns[i] = (struct manifest_column){.name = pg_cell(rows, from + i, "name"),
                                                     .type = pg_cell(rows, from + i, "type"),
                                                     .generated = generated,
                                                     .fields = pg_cell(rows, from + i, "fields"),
                                                     .values = never_null ? 0 : -1};
        t->has_nulls |= !generated && !never_null;
    }
    return end;
}

/* Both lists have the same order. */
static void take_counters(const struct frozen *f, struct plan *p)
{
    size_t next = 0;
    for (size_t i = 0; i < f->count && next < p->count; i++) {
        if (strcmp(f->tables[i].oid, p->tables[next].in.oid) != 0)
            continue;
        struct manifest_table *t = p->tables[next++].to;
        t->inserted = f->tables[i].inserted;
        t->updated = f->tables[i].updated;
        t->deleted = f->tables[i].deleted;
    }
}

/* Rows of tables' columns, table after table. */
static bool plan_columns(struct arena *a, struct pg *db, struct plan *p, struct err *e)
{
    struct strlist oids = strlist_on(a);
    struct pg_rows columns;
    size_t next = 0;
    for (size_t i = 0; i < p->count; i++)
        strlist_add(&oids, p->tables[i].in.oid);
    const char *all = pg_array(a, oids.items, oids.count);
    if (!pg_query(a, db, sql_backup_columns, PG_ARGS(all), &columns, e))
        return false;
    for (size_t i = 0; i < p->count; i++)
        next = take_columns(a, &columns, next, &p->tables[i]);
    return true;
}

static bool plan_tables(struct arena *a, struct pg *db, const struct plan_spec *spec,
                        struct manifest *m, struct plan *p, struct err *e)
{
    struct strlist oids = strlist_on(a);
    struct both rows = {.encoding = m->database.encoding};
    for (size_t i = 0; i < spec->frozen->count; i++)
        strlist_add(&oids, spec->frozen->tables[i].oid);
    const char *all = pg_array(a, oids.items, oids.count);
    if (!ask_both(a, db, sql_dump_tables, PG_ARGS(all), &rows, e))
        return err_wrap(e, "could not list what the tables are");
    p->count = rows.own.count;
    p->tables = arena_array(a, p->count + 1, sizeof(*p->tables));
    m->tables = arena_array(a, p->count + 1, sizeof(*m->tables));
    m->configuration_tables = arena_array(a, p->count + 1, sizeof(*m->configuration_tables));
    for (size_t i = 0; i < p->count; i++) {
        struct plan_table *t = &p->tables[i];
        take_table(a, &rows, i, spec, t);
        t->to = t->of_extension ? &m->configuration_tables[m->configuration_count++]
                                : &m->tables[m->table_count++];
        *t->to = manifest_of(&rows.utf8, i);
    }
    take_counters(spec->frozen, p);
    return plan_columns(a, db, p, e) || err_wrap(e, "could not list the columns");
}

static bool plan_sequences(struct arena *a, struct pg *db, struct manifest *m, struct plan *p,
                           struct err *e)
{
    struct both rows = {.encoding = m->database.encoding};
    if (!ask_both(a, db, sql_dump_sequences, PG_NONE, &rows, e))
        return err_wrap(e, "could not list the sequences");
    m->sequence_count = p->sequence_count = rows.own.count;
    p->sequences = arena_array(a, rows.own.count + 1, sizeof(*p->sequences));
    m->sequences = arena_array(a, rows.own.count + 1, sizeof(*m->sequences));
    for (size_t i = 0; i < rows.own.count; i++) {
        m->sequences[i] = (struct manifest_sequence){.schema = pg_cell(&rows.utf8, i, "schema"),
                                                     .name = pg_cell(&rows.utf8, i, "name")};
        p->sequences[i] =
            (struct plan_sequence){.in = name_of(&rows.own, i),
                                   .of_extension = pg_cell_bool(&rows.own, i, "of_extension"),
                                   .to = &m->sequences[i]};
    }
    return true;
}

static bool plan_large(struct arena *a, struct pg *db, const struct plan_spec *spec,
                       struct manifest *m, struct plan *p, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, "SELECT oid FROM pg_largeobject_metadata ORDER BY oid", PG_NONE, &rows, e))
        return err_wrap(e, "could not list the large objects");
    m->large_objects = (int64_t)rows.count;
    if (!spec->copy_large)
        return true;
    p->large_count = rows.count;
    p->large = arena_array(a, rows.count + 1, sizeof(*p->large));
    for (size_t i = 0; i < rows.count; i++) {
        p->large[i].oid = (uint32_t)strtoul(rows.cells[i], NULL, 10);
        const char *file = arena_printf(a, "blob_%s.dat%s", rows.cells[i], spec->suffix);
        datafile_init(&p->large[i].file, fs_join(a, spec->folder, file));
    }
    return true;
}

/* How many pieces make all workers end at about the same time, none of them tiny. */
static int64_t parts_of(const struct plan_table *t, const struct plan_spec *spec, int64_t pages)
{
    enum { PIECES_EACH = 8, LEAST_PIECE = 16 << 20 };
    int64_t bytes = t->heap_bytes + t->toast_bytes;
    if (!t->is_heap || t->condition != NULL || t->columns == NULL || spec->jobs < 2 ||
        spec->split_size <= 0 || bytes <= spec->split_size)
        return 1;
    int64_t least = spec->split_size < LEAST_PIECE ? spec->split_size : LEAST_PIECE;
    int64_t piece = bytes / ((int64_t)spec->jobs * PIECES_EACH);
    piece = piece < least ? least : piece > spec->split_size ? spec->split_size : piece;
    int64_t parts = (bytes + piece - 1) / piece;
    return parts > pages ? pages : parts;
}

static void add_item(struct plan *p, size_t *size, struct plan_item item)
{
    if (p->item_count == *size) {
        *size = *size == 0 ? 64 : *size * 2;
        p->items = reallocarray(p->items, *size, sizeof(*p->items));
        if (p->items == NULL)
            abort(); /* as an arena does */
    }
    p->items[p->item_count++] = item;
    p->weight += item.weight;
}

static void split(struct plan *p, size_t *size, size_t table, const struct plan_spec *spec,
                  int64_t page_bytes)
{
    struct plan_table *t = &p->tables[table];
    int64_t pages = t->heap_bytes / page_bytes, bytes = t->heap_bytes + t->toast_bytes;
    int64_t parts = spec->can_split ? parts_of(t, spec, pages) : 1;
    parts = parts < 1 ? 1 : parts;
    t->parts_left = (int)parts;
    for (int64_t i = 0; i < parts; i++)
        add_item(p, size,
                 (struct plan_item){.work = PLAN_ROWS,
                                    .from = table,
                                    .whole = parts == 1,
                                    .first_page = pages * i / parts,
                                    .end_page = i + 1 == parts ? -1 : pages * (i + 1) / parts,
                                    .weight = bytes / parts});
}

static void add_batches(struct plan *p, size_t *size, enum plan_work work, size_t count, size_t n)
{
    for (size_t from = 0; from < count; from += n) {
        size_t to = from + n < count ? from + n : count;
        add_item(p, size,
                 (struct plan_item){.work = work,
                                    .from = from,
                                    .to = to,
                                    .weight = (int64_t)(to - from) * LARGE_WEIGHT});
    }
}

static int by_weight(const void *x, const void *y)
{
    const struct plan_item *a = x, *b = y;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    if (a->work != b->work)
        return a->work < b->work ? -1 : 1;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return a->first_page < b->first_page ? -1 : a->first_page > b->first_page;
}

bool plan_make(struct arena *a, struct pg *db, const struct plan_spec *spec, struct manifest *m,
               struct plan *p, struct err *e)
{
    size_t size = 0;
    *p = (struct plan){0};
    const char *page = pg_value(a, db, "SHOW block_size", PG_NONE, e);
    if (page == NULL || !plan_tables(a, db, spec, m, p, e) || !plan_sequences(a, db, m, p, e) ||
        !plan_large(a, db, spec, m, p, e))
        return false;
    int64_t page_bytes = strtoll(page, NULL, 10);
    for (size_t i = 0; i < p->count; i++)
        split(p, &size, i, spec, page_bytes);
    add_batches(p, &size, PLAN_SEQUENCES, p->sequence_count, SEQUENCES_AT_ONCE);
    add_batches(p, &size, PLAN_LARGE, p->large_count, LARGE_AT_ONCE);
    if (p->item_count > 0)
        qsort(p->items, p->item_count, sizeof(*p->items), by_weight);
    return true;
}

void plan_release(struct plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        datafile_release(&p->tables[i].file);
    for (size_t i = 0; i < p->large_count; i++)
        datafile_release(&p->large[i].file);
    free(p->items);
    *p = (struct plan){0};
}
