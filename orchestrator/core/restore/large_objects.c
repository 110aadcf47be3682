#include "core/restore/large_objects.h"

#include "base/fs.h"
#include "base/pool.h"
#include "core/restore/compare.h"
#include "core/restore/load.h"
#include "ext/member.h"

enum {
    LIST_MAX_BYTES = 512 << 20,
    BATCH = 200, /* objects in one transaction: each takes a lock when it is made */
    STATEMENT_BYTES = 1 << 20,
    OIDS_AT_ONCE = 1000,
};

struct large_object {
    const char *oid, *file;
};

struct loading_objects {
    const struct rows_spec *spec;
    struct large_object *items;
    size_t count, size;
    size_t next; /* atomic */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The name in the folder of a file that the archive's list calls so. */
static const char *stored_name(struct arena *a, const char *const *names, size_t count,
                               const char *listed)
{
    static const enum member_codec codecs[] = {MEMBER_NONE, MEMBER_GZIP, MEMBER_ZSTD};
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        const char *name = arena_printf(a, "%s%s", listed, member_suffix(codecs[i]));
        const char *const *found = bsearch(&name, names, count, sizeof(*names), by_name);
        if (found != NULL)
            return *found;
    }
    return NULL;
}

static void add(struct arena *a, struct loading_objects *l, struct large_object object)
{
    if (l->count == l->size) {
        struct large_object *more = arena_array(a, l->size * 2 + 64, sizeof(*more));
        if (l->count > 0)
            memcpy(more, l->items, l->count * sizeof(*more));
        l->items = more;
        l->size = l->size * 2 + 64;
    }
    l->items[l->count++] = object;
}

/* Lines "OID FILE". */
static bool read_list(struct arena *a, struct loading_objects *l, const char *list,
                      const char *const *names, size_t name_count, struct err *e)
{
    char *text, *save = NULL;
    if (!fs_read(a, fs_join(a, l->spec->backup->folder, list), LIST_MAX_BYTES, &text, NULL, e))
        return false;
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *blank = strchr(line, ' ');
        size_t digits = strspn(line, "0123456789");
        if (blank == NULL || digits == 0 || blank != line + digits)
            return err_set(e, ERR_DAMAGED, "file \"%s\" is no list of large objects", list);
        *blank = '\0';
        const char *file = stored_name(a, names, name_count, blank + 1);
        if (file == NULL)
            return err_set(e, ERR_DAMAGED, "file \"%s\" of large object %s is missing", blank + 1,
                           line);
        add(a, l, (struct large_object){.oid = line, .file = file});
    }
    return true;
}

static bool read_lists(struct arena *a, struct loading_objects *l, struct err *e)
{
    const struct manifest *m = &l->spec->backup->manifest;
    const char **names = arena_array(a, m->file_count + 1, sizeof(*names));
    for (size_t i = 0; i < m->file_count; i++)
        names[i] = m->files[i].name;
    qsort(names, m->file_count, sizeof(*names), by_name);
    for (size_t i = 0; i < m->file_count; i++)
        if (str_starts(names[i], "blobs") && str_ends(names[i], ".toc") &&
            !read_list(a, l, names[i], names, m->file_count, e))
            return false;
    return true;
}

static bool make_missing(struct arena *a, struct pg *db, const struct loading_objects *l,
                         struct err *e)
{
    for (size_t from = 0; from < l->count; from += OIDS_AT_ONCE) {
        size_t n = l->count - from < OIDS_AT_ONCE ? l->count - from : OIDS_AT_ONCE;
        const char **oids = arena_array(a, n, sizeof(*oids));
        struct pg_rows ignored;
        for (size_t i = 0; i < n; i++)
            oids[i] = l->items[from + i].oid;
        if (!pg_query(a, db,
                      "SELECT lo_create(u.oid) FROM unnest($1::oid[]) AS u (oid) WHERE NOT EXISTS"
                      " (SELECT FROM pg_largeobject_metadata m WHERE m.oid = u.oid)",
                      PG_ARGS(pg_array(a, oids, n)), &ignored, e))
            return err_wrap(e, "could not make large objects");
    }
    return true;
}

static void add_hex(struct str *s, const char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char pair[2];
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        pair[0] = digits[c >> 4];
        pair[1] = digits[c & 15];
        str_add_n(s, pair, 2);
    }
}

/* Statements that put the contents where they belong, sent when they are many. */
static bool put(struct pg *db, struct str *statements, size_t least, struct err *e)
{
    if (statements->length <= least)
        return true;
    bool ok = pg_exec(db, statements->text, e);
    statements->length = 0;
    return ok;
}

static bool load_object(struct arena *a, struct pg *db, const struct loading_objects *l,
                        const struct large_object *object, struct str *statements, struct err *e)
{
    const struct member_range range = {
        .path = fs_join(a, l->spec->backup->folder, object->file),
        .name = arena_printf(a, "file \"%s\" of large object %s", object->file, object->oid),
        .to = -1,
        .may_be_empty = true,
        .codec = member_codec_of(object->file)};
    AUTO(member) struct member_reader *from = member_open(&range, e);
    long long at = 0;
    const char *bytes;
    size_t n = 0;
    if (from == NULL)
        return false;
    for (;;) {
        if (!member_read(from, &bytes, &n, e))
            return false;
        if (n == 0)
            return true;
        str_printf(statements, "SELECT pg_catalog.lo_put(%s, %lld, '\\x", object->oid, at);
        add_hex(statements, bytes, n);
        str_add(statements, "');");
        at += (long long)n;
        if (!put(db, statements, STATEMENT_BYTES, e))
            return err_wrap(e, "could not load large object %s", object->oid);
    }
}

static bool load_batch(struct pg *db, const struct loading_objects *l, size_t from, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str statements = str_on(a);
    size_t to = from + BATCH < l->count ? from + BATCH : l->count;
    for (size_t i = from; i < to; i++)
        if (!load_object(a, db, l, &l->items[i], &statements, e))
            return false;
    return put(db, &statements, 0, e) || err_wrap(e, "could not load large objects");
}

static bool work(void *context, int worker UNUSED, struct err *e)
{
    struct loading_objects *l = context;
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(pg) struct pg *db = connection_open(l->spec->to, &use, e);
    if (db == NULL || !load_session(db, &l->spec->backup->manifest, e))
        return false;
    for (;;) {
        size_t from = __atomic_fetch_add(&l->next, BATCH, __ATOMIC_RELAXED);
        if (from >= l->count)
            return true;
        if (!load_batch(db, l, from, e))
            return false;
    }
}

static bool tick(void *context, struct err *e)
{
    const struct loading_objects *l = context;
    return progress_tick(l->spec->progress, e);
}

static bool load_parallel(struct loading_objects *l, struct err *e)
{
    size_t batches = (l->count + BATCH - 1) / BATCH;
    size_t most = l->spec->jobs < POOL_MAX ? (size_t)l->spec->jobs : POOL_MAX;
    const struct pool_spec pool = {.threads = (int)(batches < most ? batches : most),
                                   .work = work,
                                   .tick = tick,
                                   .context = l};
    return batches == 0 || pool_run(&pool, e);
}

static bool judge(struct arena *a, struct pg *db, const struct manifest *m, struct err *e)
{
    struct differences d = differences_on(a);
    const char *count = pg_value(a, db, "SELECT count(*) FROM pg_largeobject_metadata", PG_NONE, e);
    if (count == NULL)
        return false;
    if (strtoll(count, NULL, 10) != m->large_objects)
        differences_add(&d, "there are %s large objects instead of %lld", count,
                        (long long)m->large_objects);
    return differences_none(&d, e);
}

bool large_objects_load(struct arena *a, const struct rows_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct loading_objects l = {.spec = spec};
    AUTO(pg) struct pg *db = connection_open(spec->to, &use, e);
    return db != NULL && load_session(db, &spec->backup->manifest, e) && read_lists(a, &l, e) &&
           make_missing(a, db, &l, e) && load_parallel(&l, e) &&
           judge(a, db, &spec->backup->manifest, e);
}

bool large_objects_load_within(struct arena *a, struct pg *db, const struct rows_spec *spec,
                               struct err *e)
{
    struct loading_objects l = {.spec = spec};
    if (!read_lists(a, &l, e) || !make_missing(a, db, &l, e))
        return false;
    for (size_t from = 0; from < l.count; from += BATCH)
        if (!load_batch(db, &l, from, e))
            return false;
    return judge(a, db, &spec->backup->manifest, e);
}
