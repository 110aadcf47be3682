#include "base/fs.h"
#include "base/pool.h"
#include "base/stop.h"
#include "core/backup/verifying.h"
#include "ext/member.h"

enum { SHOWN = 5, UNPACK_COST = 4 };

/* --- what there is to do ------------------------------------------------------------------------
 */

struct owner {
    const char *file;
    const struct manifest_table *table;
};

struct owners {
    struct owner *items; /* by the name of the file */
    size_t count;
};

static int by_file(const void *x, const void *y)
{
    return strcmp(((const struct owner *)x)->file, ((const struct owner *)y)->file);
}

static void add_owners(struct owners *o, const struct manifest_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tables[i].file != NULL)
            o->items[o->count++] = (struct owner){tables[i].file, &tables[i]};
}

static struct owners owners_of(struct arena *a, const struct manifest *m)
{
    struct owners o = {0};
    o.items = arena_array(a, m->table_count + m->configuration_count + 1, sizeof(*o.items));
    add_owners(&o, m->tables, m->table_count);
    add_owners(&o, m->configuration_tables, m->configuration_count);
    qsort(o.items, o.count, sizeof(*o.items), by_file);
    return o;
}

static const struct manifest_table *owner_of(const struct owners *o, const char *file)
{
    const struct owner like = {.file = file};
    const struct owner *found = bsearch(&like, o->items, o->count, sizeof(*o->items), by_file);
    return found == NULL ? NULL : found->table;
}

static size_t text_parts(const struct checked *c)
{
    size_t members = c->table == NULL ? 0 : c->table->member_count;
    bool packed = member_codec_of(c->file->name) != MEMBER_NONE;
    return members > 0 ? members : c->table != NULL || packed;
}

static void add_parts(struct verify *v, struct checked *c)
{
    size_t n = text_parts(c);
    v->parts[v->part_count++] = (struct part){.of = c, .cost = c->file->bytes};
    for (size_t i = 0; i < n; i++) {
        struct part *p = &v->parts[v->part_count++];
        bool last = i + 1 == n;
        *p = (struct part){.of = c, .text = true, .to = -1};
        if (c->table != NULL && c->table->member_count > 0) {
            p->from = c->table->members[i];
            p->to = last ? -1 : c->table->members[i + 1];
        }
        p->cost = ((last ? c->file->bytes : p->to) - p->from) * UNPACK_COST;
    }
}

/* The longest first, so that no thread is left with one at the end. */
static int by_cost(const void *x, const void *y)
{
    const struct part *a = x, *b = y;
    return a->cost > b->cost ? -1 : a->cost < b->cost;
}

/* Fields of a row.  Older backups do not tell which columns are computed. */
static size_t width_of(const struct manifest_table *t)
{
    size_t width = 0;
    for (size_t i = 0; i < t->column_count; i++)
        width += !t->columns[i].generated;
    return width;
}

static void plan(struct verify *v)
{
    const struct manifest *m = &v->spec->backup->manifest;
    const struct owners owners = owners_of(v->arena, m);
    size_t parts = 0;
    v->files = arena_array(v->arena, m->file_count + 1, sizeof(*v->files));
    v->file_count = m->file_count;
    for (size_t i = 0; i < m->file_count; i++) {
        struct checked *c = &v->files[i];
        c->file = &m->files[i];
        c->table = owner_of(&owners, c->file->name);
        c->label = store_file_label(v->arena, c->file->name, c->table);
        if (c->table != NULL)
            c->sum = text_count_on(v->arena, width_of(c->table));
        parts += 1 + text_parts(c);
    }
    v->parts = arena_array(v->arena, parts + 1, sizeof(*v->parts));
    for (size_t i = 0; i < m->file_count; i++)
        add_parts(v, &v->files[i]);
    qsort(v->parts, v->part_count, sizeof(*v->parts), by_cost);
}

/* --- the work of the threads --------------------------------------------------------------------
 */

static void note_damage(struct verify *v, const struct part *p, const char *what)
{
    const char **noted = p->text ? &p->of->text_damage : &p->of->sum_damage;
    pthread_mutex_lock(&v->mutex);
    if (*noted == NULL)
        *noted = arena_strdup(v->arena, what);
    pthread_mutex_unlock(&v->mutex);
}

/* A damage is noted and the work goes on; anything else ends it. */
static bool or_damage(struct verify *v, const struct part *p, struct err *e)
{
    if (e->kind != ERR_DAMAGED && e->kind != ERR_NOT_FOUND)
        return false;
    note_damage(v, p, e->message);
    *e = (struct err){0};
    return true;
}

static void add_counts(struct verify *v, struct checked *c, const struct text_count *n)
{
    pthread_mutex_lock(&v->mutex);
    c->sum.rows += n->rows;
    c->sum.bytes += n->bytes;
    c->sum.content += n->content;
    c->sum.odd_width = c->sum.odd_width || n->odd_width;
    for (size_t i = 0; i < n->columns; i++)
        c->sum.nulls[i] += n->nulls[i];
    pthread_mutex_unlock(&v->mutex);
}

static bool read_text(struct arena *a, struct verify *v, const struct part *p, struct err *e)
{
    struct checked *c = p->of;
    const struct member_range range = {
        .path = fs_join(a, v->spec->backup->folder, c->file->name),
        .name = c->label,
        .from = p->from,
        .to = p->to,
        .codec = member_codec_of(c->file->name),
    };
    struct text_count count = text_count_on(a, c->table == NULL ? 0 : width_of(c->table));
    /* What pg_dump wrote leaves computed columns out, and its manifest does not tell which. */
    count.any_width = v->spec->backup->manifest.compression == NULL;
    if (!fs_is_file(range.path))
        return err_set(e, ERR_DAMAGED, "%s is missing", c->label);
    AUTO(member) struct member_reader *r = member_open(&range, e);
    if (r == NULL)
        return false;
    const char *text;
    for (size_t n = 1; n > 0;) {
        if (!stop_check(e) || !member_read(r, &text, &n, e))
            return false;
        if (c->table != NULL && n > 0 && !text_count_add(&count, text, n, e))
            return err_wrap(e, "%s", c->label);
        progress_add(v->spec->progress, (int64_t)n, 0);
    }
    if (c->table == NULL)
        return true;
    if (!text_count_end(&count, e))
        return err_wrap(e, "%s", c->label);
    if (count.ended && p->to >= 0)
        return err_set(e, ERR_DAMAGED, "%s: its end mark is not at its end", c->label);
    add_counts(v, c, &count);
    progress_add(v->spec->progress, 0, count.rows);
    return true;
}

static bool work(void *context, int worker, struct err *e)
{
    struct verify *v = context;
    (void)worker;
    for (size_t i = v->next++; i < v->part_count; i = v->next++) {
        AUTO(arena) struct arena *a = arena_new();
        const struct part *p = &v->parts[i];
        if (!stop_check(e))
            return false;
        bool ok = p->text ? read_text(a, v, p, e)
                          : store_check_file(a, v->spec->backup, p->of->file, p->of->label, e);
        if (!ok && !or_damage(v, p, e))
            return err_wrap(e, "could not check %s", p->of->label);
    }
    return true;
}

static bool tick(void *context, struct err *e)
{
    const struct verify *v = context;
    return progress_tick(v->spec->progress, e);
}

static int64_t text_bytes(const struct manifest *m)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < m->table_count; i++)
        bytes += m->tables[i].text_bytes > 0 ? m->tables[i].text_bytes : 0;
    return bytes;
}

bool backup_verify(struct arena *a, const struct verify_spec *spec, struct verify_result *result,
                   struct err *e)
{
    const struct manifest *m = &spec->backup->manifest;
    struct verify v = {
        .arena = a, .spec = spec, .result = result, .mutex = PTHREAD_MUTEX_INITIALIZER};
    enum { OTHERS = 3 };
    *result = (struct verify_result){0};
    result->damages =
        arena_array(a, m->file_count + 2 * m->table_count + OTHERS, sizeof(*result->damages));
    plan(&v);
    int threads = spec->jobs < 1 ? 1 : spec->jobs > POOL_MAX ? POOL_MAX : spec->jobs;
    const struct pool_spec pool = {.threads = threads, .work = work, .tick = tick, .context = &v};
    progress_begin(spec->progress, "verify", text_bytes(m));
    if (!pool_run(&pool, e) || !progress_end(spec->progress, e))
        return false;
    return verify_judge(&v, e);
}

bool verify_verdict(struct arena *a, const struct stored *backup,
                    const struct verify_damage *damages, size_t count, struct err *e)
{
    struct strlist more = strlist_on(a);
    if (count == 0)
        return true;
    for (size_t i = 1; i < count && i < SHOWN; i++)
        strlist_add(&more, damages[i].what);
    err_set(e, ERR_DAMAGED, "backup \"%s\": %s", backup->id, damages[0].what);
    if (more.count > 0)
        err_detail(e, "%zu damages; also: %s%s.", count, strlist_join(&more, "; "),
                   count > SHOWN ? "; ..." : "");
    return false;
}
