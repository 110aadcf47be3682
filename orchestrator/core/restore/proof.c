#include "core/restore/proof.h"

#include "base/pool.h"
#include "base/stop.h"
#include "core/restore/full.h"
#include "core/restore/proof_objects.h"
#include "core/restore/proof_order.h"
#include "core/restore/side.h"
#include "ext/hash.h"

#include <pthread.h>

/* What is read back by one COPY: a table, or a partitioned one through which several tables were
 * loaded, whose rows may lie in others of them now. */
struct reading {
    const struct manifest_table *first;
    const char *copy;
    struct strlist parts; /* these tables, where they were loaded through another */
    uint64_t content;     /* of the manifest; mixed: none */
    int64_t tables, rows, bytes;
    bool mixed; /* columns in several orders: content is only known from the files */
    const char *damage;
};

struct proof {
    struct arena *arena; /* under the mutex while threads run */
    const struct proof_spec *spec;
    struct connection side;
    struct proof_result *result;
    struct reading *readings;
    size_t count;
    _Atomic size_t next;
    pthread_mutex_t mutex;
};

/* --- what there is to read ----------------------------------------------------------------------
 */

static char *columns_of(struct arena *a, const struct manifest_table *t)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < t->column_count; i++)
        if (!t->columns[i].generated)
            str_item(&s, ", ", pg_ident(a, t->columns[i].name));
    return s.text;
}

/* In the encoding of the data files; names stay in that of the session.  parts: of what is loaded
 * through a partitioned table, which may have other partitions too. */
static const char *copy_of(struct arena *a, const struct manifest *m,
                           const struct manifest_table *t, const struct strlist *parts)
{
    const char *columns = columns_of(a, t), *name = pg_ident2(a, t->schema, t->name);
    const char *of = columns[0] == '\0' ? name : arena_printf(a, "%s (%s)", name, columns);
    if (t->load_root_name != NULL)
        of = arena_printf(a, "(SELECT %s FROM %s WHERE tableoid = ANY (%s::pg_catalog.regclass[]))",
                          columns, pg_ident2(a, t->load_root_schema, t->load_root_name),
                          pg_literal(a, pg_array(a, parts->items, parts->count)));
    else if (t->condition != NULL)
        of = arena_printf(a, "(SELECT %s FROM ONLY %s %s)", columns, name, t->condition);
    return arena_printf(
        a, "COPY %s TO STDOUT WITH (ENCODING %s)", of,
        pg_literal(a, m->data_encoding == NULL ? m->database.encoding : m->data_encoding));
}

static bool same_root(const struct manifest_table *a, const struct manifest_table *b)
{
    return str_same(a->load_root_name, b->load_root_name) &&
           str_same(a->load_root_schema, b->load_root_schema);
}

static struct reading *reading_of_root(struct proof *p, const struct manifest_table *t)
{
    for (size_t i = 0; i < p->count && t->load_root_name != NULL; i++)
        if (same_root(p->readings[i].first, t))
            return &p->readings[i];
    return NULL;
}

/* Tables that share a root are one reading: the sums of parts are the sum of the whole, where all
 * have their columns in one order. */
static void add_reading(struct proof *p, const struct manifest_table *t)
{
    struct reading *r = reading_of_root(p, t);
    if (r == NULL) {
        r = &p->readings[p->count++];
        *r = (struct reading){.first = t, .parts = strlist_on(p->arena)};
    }
    r->mixed = r->mixed || strcmp(columns_of(p->arena, r->first), columns_of(p->arena, t)) != 0;
    strlist_add(&r->parts, pg_ident2(p->arena, t->schema, t->name));
    r->tables++;
    r->content += strtoull(t->content, NULL, 16);
    r->rows += t->rows;
    r->bytes += t->text_bytes > 0 ? t->text_bytes : t->bytes;
}

static int by_size(const void *x, const void *y)
{
    const struct reading *a = x, *b = y;
    return a->bytes > b->bytes ? -1 : a->bytes < b->bytes;
}

/* The longest first. */
static void plan(struct proof *p)
{
    const struct manifest *m = &p->spec->backup->manifest;
    p->readings =
        arena_array(p->arena, m->table_count + m->configuration_count + 1, sizeof(*p->readings));
    for (size_t i = 0; i < m->table_count; i++)
        if (m->tables[i].content != NULL)
            add_reading(p, &m->tables[i]);
    for (size_t i = 0; i < m->configuration_count; i++)
        if (m->configuration_tables[i].content != NULL)
            add_reading(p, &m->configuration_tables[i]);
    for (size_t i = 0; i < p->count; i++)
        p->readings[i].copy = copy_of(p->arena, m, p->readings[i].first, &p->readings[i].parts);
    qsort(p->readings, p->count, sizeof(*p->readings), by_size);
}

/* --- reading back -------------------------------------------------------------------------------
 */

static bool sum_content(struct proof *p, struct pg *db, const char *copy, uint64_t *content,
                        int64_t *rows, struct err *e)
{
    const char *row;
    int64_t said;
    *content = 0;
    *rows = 0;
    if (!pg_copy_out(db, copy, e))
        return false;
    for (size_t n;;) {
        if (!pg_copy_row(db, &row, &n, &said, e))
            return false;
        if (n == 0)
            return true;
        *content += hash_of(row, n);
        ++*rows;
        progress_add(p->spec->progress, (int64_t)n, 1);
    }
}

/* As if every partition had its columns in the order of the first. */
static bool sum_files(const struct proof *p, const struct reading *r, uint64_t *content,
                      struct err *e)
{
    const struct manifest *m = &p->spec->backup->manifest;
    uint64_t part;
    *content = 0;
    for (size_t i = 0; i < m->table_count; i++) {
        const struct manifest_table *t = &m->tables[i];
        if (t->content == NULL || t->load_root_name == NULL || !same_root(t, r->first))
            continue;
        if (!proof_content_as(p->spec->backup, t, r->first, &part, e))
            return false;
        *content += part;
    }
    return true;
}

static bool read_back(struct proof *p, struct pg *db, struct reading *r, struct err *e)
{
    const struct manifest_table *t = r->first;
    uint64_t content;
    int64_t rows;
    const char *table;
    if (r->mixed && !sum_files(p, r, &r->content, e))
        return false;
    pthread_mutex_lock(&p->mutex);
    table = t->load_root_name == NULL ? pg_ident2(p->arena, t->schema, t->name)
                                      : pg_ident2(p->arena, t->load_root_schema, t->load_root_name);
    pthread_mutex_unlock(&p->mutex);
    if (!sum_content(p, db, r->copy, &content, &rows, e))
        return err_wrap(e, "could not read table %s back", table);
    if (content == r->content && rows == r->rows)
        return true;
    pthread_mutex_lock(&p->mutex);
    r->damage =
        rows != r->rows
            ? arena_printf(p->arena, "table %s restores to %lld rows, %lld were backed up", table,
                           (long long)rows, (long long)r->rows)
            : arena_printf(p->arena,
                           "table %s restores to other rows than were backed up: its"
                           " content sum is %016llx, not %016llx",
                           table, (unsigned long long)content, (unsigned long long)r->content);
    pthread_mutex_unlock(&p->mutex);
    return true;
}

static bool work(void *context, int worker, struct err *e)
{
    struct proof *p = context;
    const struct session_use use = {.application_name = "migsafe verify"};
    (void)worker;
    AUTO(pg) struct pg *db = connection_open(&p->side, &use, e);
    if (db == NULL || !proof_session(db, &p->spec->backup->manifest, e))
        return false;
    for (size_t i = p->next++; i < p->count; i = p->next++)
        if (!stop_check(e) || !read_back(p, db, &p->readings[i], e))
            return false;
    return true;
}

static bool tick(void *context, struct err *e)
{
    const struct proof *p = context;
    return progress_tick(p->spec->progress, e);
}

/* --- the verdict --------------------------------------------------------------------------------
 */

static void add_damage(struct proof *p, const struct manifest_table *t, const char *what)
{
    p->result->damages[p->result->damage_count++] =
        (struct verify_damage){.file = t == NULL ? NULL : t->file,
                               .schema = t == NULL ? NULL : t->schema,
                               .table = t == NULL ? NULL : t->name,
                               .what = what};
}

static int by_place(const void *x, const void *y)
{
    const struct reading *a = x, *b = y;
    return a->first < b->first ? -1 : a->first > b->first;
}

static bool compare_objects(struct proof *p, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe verify"};
    const char *damage = NULL;
    AUTO(pg) struct pg *db = connection_open(&p->side, &use, e);
    if (db == NULL || !proof_large_objects(p->arena, db, p->spec->backup, &damage, e))
        return false;
    if (damage != NULL)
        add_damage(p, NULL, damage);
    return true;
}

static bool compare(struct proof *p, struct err *e)
{
    int jobs = p->spec->jobs < 1 ? 1 : p->spec->jobs > POOL_MAX ? POOL_MAX : p->spec->jobs;
    if ((size_t)jobs > p->count)
        jobs = p->count == 0 ? 1 : (int)p->count;
    const struct pool_spec pool = {.threads = jobs, .work = work, .tick = tick, .context = p};
    int64_t text = 0;
    for (size_t i = 0; i < p->count; i++)
        text += p->readings[i].bytes;
    progress_begin(p->spec->progress, "compare", text);
    if (!pool_run(&pool, e) || !progress_end(p->spec->progress, e))
        return false;
    qsort(p->readings, p->count, sizeof(*p->readings), by_place);
    p->result->damages = arena_array(p->arena, p->count + 1, sizeof(*p->result->damages));
    for (size_t i = 0; i < p->count; i++)
        p->result->tables_by_content += p->readings[i].tables;
    for (size_t i = 0; i < p->count; i++)
        if (p->readings[i].damage != NULL)
            add_damage(p, p->readings[i].first, p->readings[i].damage);
    return compare_objects(p, e);
}

static bool fill(struct proof *p, struct err *e)
{
    const struct proof_spec *s = p->spec;
    const struct restore_spec restore = {.server = s->server,
                                         .target = p->side.dbname,
                                         .backup = s->backup,
                                         .pg_bin = s->pg_bin,
                                         .jobs = s->jobs,
                                         .progress = s->progress};
    plan(p);
    return restore_full(p->arena, &restore, e) && compare(p, e);
}

bool restore_prove(struct arena *a, const struct proof_spec *spec, struct proof_result *result,
                   struct err *e)
{
    const struct manifest *m = &spec->backup->manifest;
    const char *name = side_name(a, m->database.name, "verify", spec->run);
    const struct session_use use = {.application_name = "migsafe verify"};
    struct proof p = {.arena = a,
                      .spec = spec,
                      .side = connection_to(spec->server, name),
                      .result = result,
                      .mutex = PTHREAD_MUTEX_INITIALIZER};
    *result = (struct proof_result){.tables = (int64_t)m->table_count,
                                    .rows = manifest_rows(m),
                                    .sequences = (int64_t)m->sequence_count,
                                    .large_objects = m->large_objects};
    AUTO(pg)
    struct pg *db = connection_open_maintenance(spec->server, spec->maintenance_database, &use, e);
    if (db == NULL ||
        !side_create(a, db, &(struct side_spec){name, "verify", spec->run, &m->database}, e))
        return false;
    return side_drop_after(a, db, name, fill(&p, e), e);
}

/* The place rather than the backup: no room, no right, a standby, a stopped server. */
static bool tells_of_place(const struct err *e)
{
    static const char *const classes[] = {"53", "57", "58", "25006", "42501"};
    static const char *const words[] = {"No space left", "terminating connection",
                                        "connection to server"};
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (str_starts(e->sqlstate, classes[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(e->message, words[i]) != NULL)
            return true;
    return false;
}

bool proof_tells_of_backup(const struct err *e)
{
    bool statement = e->kind == ERR_QUERY ||
                     (e->kind == ERR_CHILD && strstr(e->detail, "The command was") != NULL);
    return e->kind == ERR_DAMAGED || (statement && !tells_of_place(e));
}
