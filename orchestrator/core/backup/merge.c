#include "core/backup/merge.h"

#include "base/fs.h"
#include "core/backup/toc.h"

#include <stdlib.h>

static const char large_list[] = "blobs.toc";

/* Archive 1.16 makes large objects among the data, many of one owner at once. */
enum { LARGE_IN_DATA = 16, LARGE_AT_ONCE = 1000 };

/* Dump ids of one type by the oid of the object, sorted by it. */
struct known {
    struct known_item {
        const char *oid;
        int64_t dump_id;
    } * items;
    size_t count;
};

static int by_oid(const void *x, const void *y)
{
    return strcmp(((const struct known_item *)x)->oid, ((const struct known_item *)y)->oid);
}

static struct known known_of(struct arena *a, const struct toc *toc, const char *type)
{
    struct known known = {.items = arena_array(a, toc->count + 1, sizeof(*known.items))};
    for (size_t i = 0; i < toc->count; i++)
        if (strcmp(toc->entries[i].type, type) == 0)
            known.items[known.count++] =
                (struct known_item){toc->entries[i].oid, toc->entries[i].dump_id};
    qsort(known.items, known.count, sizeof(*known.items), by_oid);
    return known;
}

/* 0: not in the archive. */
static int64_t id_of(const struct known *known, const char *oid)
{
    const struct known_item key = {.oid = oid};
    const struct known_item *item =
        bsearch(&key, known->items, known->count, sizeof(*known->items), by_oid);
    return item == NULL ? 0 : item->dump_id;
}

struct merge {
    struct arena *arena;
    const char *folder, *suffix;
    struct toc toc;
    int64_t next_id;
    struct toc_entry *entries; /* new ones */
    size_t count;
};

static struct toc_entry *add(struct merge *m, const char *type, const struct plan_name *name,
                             int64_t depends)
{
    struct toc_entry *entry = &m->entries[m->count++];
    *entry = (struct toc_entry){
        .dump_id = m->next_id++,
        .table_oid = "0",
        .oid = "0",
        .type = type,
        .section = TOC_DATA,
        .with_oids = "false",
        .file = "",
    };
    if (name != NULL) {
        entry->tag = name->name;
        entry->schema = name->schema;
        entry->owner = name->owner;
    }
    if (depends > 0) {
        entry->depend_ids = arena_array(m->arena, 1, sizeof(*entry->depend_ids));
        entry->depend_ids[0] = arena_printf(m->arena, "%lld", (long long)depends);
        entry->depend_count = 1;
        entry->depends = depends;
    }
    return entry;
}

/* One line, whatever the name holds. */
static char *one_line(struct arena *a, const char *text)
{
    char *line = arena_strdup(a, text);
    for (char *p = line; *p != '\0'; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    return line;
}

static bool add_table(struct merge *m, struct plan_table *t, const struct known *tables,
                      struct err *e)
{
    int64_t id = id_of(tables, t->in.oid);
    if (t->of_extension)
        id = m->next_id++; /* of the table that CREATE EXTENSION makes */
    else if (id == 0)
        return err_set(e, ERR_CHILD, "pg_dump left out table %s", t->label);
    struct toc_entry *entry = add(m, "TABLE DATA", &t->in, id);
    entry->has_data = true;
    t->data_id = entry->dump_id;
    entry->oid = t->in.oid;
    entry->file = arena_printf(m->arena, "%lld.dat", (long long)entry->dump_id);
    if (t->root != NULL)
        entry->definition =
            arena_printf(m->arena, "-- load via partition root %s", one_line(m->arena, t->root));
    const char *columns = t->columns == NULL ? "" : arena_printf(m->arena, "(%s)", t->columns);
    entry->copy = arena_printf(m->arena, "COPY %s %s FROM stdin;\n",
                               t->root != NULL ? t->root : t->in.quoted, columns);
    const char *from = fs_join(m->arena, m->folder, t->to->file);
    t->to->file = arena_printf(m->arena, "%s%s", entry->file, m->suffix);
    return fs_rename(m->arena, from, fs_join(m->arena, m->folder, t->to->file), e);
}

static bool add_sequence(struct merge *m, const struct plan_sequence *s,
                         const struct known *sequences, struct err *e)
{
    int64_t id = id_of(sequences, s->in.oid);
    if (s->of_extension)
        id = m->next_id++;
    else if (id == 0)
        return err_set(e, ERR_CHILD, "pg_dump left out sequence %s", s->in.quoted);
    struct toc_entry *entry = add(m, "SEQUENCE SET", &s->in, id);
    entry->definition = arena_printf(
        m->arena, "SELECT pg_catalog.setval(%s, %lld, %s);\n", pg_literal(m->arena, s->in.quoted),
        (long long)s->to->last_value, s->to->is_called ? "true" : "false");
    return true;
}

static void add_to_depends(struct merge *m, struct toc_entry *entry, int64_t id)
{
    const char **ids = arena_array(m->arena, entry->depend_count + 1, sizeof(*ids));
    for (size_t i = 0; i < entry->depend_count; i++)
        ids[i] = entry->depend_ids[i];
    ids[entry->depend_count++] = arena_printf(m->arena, "%lld", (long long)id);
    entry->depend_ids = ids;
    entry->depends = strtoll(ids[0], NULL, 10);
}

/* Of one large object: its rights, its comment. */
static void add_about_large(struct merge *m, const struct plan_large *large, const char *type,
                            const char *statements, int64_t made)
{
    if (statements == NULL)
        return;
    struct toc_entry *entry = add(m, type, NULL, made);
    entry->section = TOC_NONE;
    entry->tag = arena_printf(m->arena, "LARGE OBJECT %u", large->oid);
    entry->owner = large->owner;
    entry->definition = statements;
}

/* One entry makes those from `from` on that have one owner.  Returns where they end. */
static size_t add_made(struct merge *m, const struct plan *p, size_t from, int64_t *made)
{
    const struct plan_large *first = &p->large[from];
    struct str oids = str_on(m->arena);
    size_t to = from;
    for (; to < p->large_count && to - from < LARGE_AT_ONCE; to++) {
        if (strcmp(p->large[to].owner, first->owner) != 0)
            break;
        str_printf(&oids, "%u\n", p->large[to].oid);
    }
    struct toc_entry *entry = add(m, "BLOB METADATA", NULL, 0);
    entry->tag = to - from == 1
                     ? arena_printf(m->arena, "%u", first->oid)
                     : arena_printf(m->arena, "%u..%u", first->oid, p->large[to - 1].oid);
    entry->table_oid = "2613"; /* pg_largeobject, as pg_dump has it */
    entry->oid = arena_printf(m->arena, "%u", first->oid);
    entry->owner = first->owner;
    entry->definition = oids.text;
    entry->drop = "-- dummy";
    *made = entry->dump_id;
    return to;
}

static void add_large(struct merge *m, const struct plan *p)
{
    struct toc_entry after = {0}, *const first = &m->entries[m->count];
    int64_t made;
    for (size_t from = 0, to; m->toc.minor >= LARGE_IN_DATA && from < p->large_count; from = to) {
        to = add_made(m, p, from, &made);
        add_to_depends(m, &after, made);
        for (size_t i = from; i < to; i++) {
            add_about_large(m, &p->large[i], "COMMENT", p->large[i].comment, made);
            add_about_large(m, &p->large[i], "ACL", p->large[i].rights, made);
        }
    }
    struct toc_entry *entry = add(m, "BLOBS", NULL, 0);
    entry->has_data = true;
    entry->tag = "BLOBS";
    if (after.depend_count == 1) { /* as pg_dump has it */
        entry->tag = first->tag;
        entry->owner = first->owner;
    }
    entry->file = large_list;
    entry->depend_ids = after.depend_ids;
    entry->depend_count = after.depend_count;
    entry->depends = after.depends;
}

/* oid: ended by a blank or NUL.  NULL: not a table of an extension. */
static struct plan_table *configuration_of(const struct plan *p, const char *oid)
{
    size_t n = strcspn(oid, " ");
    for (size_t i = 0; i < p->count; i++)
        if (p->tables[i].of_extension && strncmp(p->tables[i].in.oid, oid, n) == 0 &&
            p->tables[i].in.oid[n] == '\0')
            return &p->tables[i];
    return NULL;
}

static const char *next_oid(const char *oid)
{
    const char *blank = strchr(oid, ' ');
    return blank == NULL ? NULL : blank + 1;
}

/* CREATE EXTENSION makes the keys between its tables before their rows come: what is referred to
 * comes first, for a serial restore by its place and for a parallel one as a dependency. */
static bool add_configuration(struct merge *m, const struct plan *p, struct plan_table *t,
                              struct err *e)
{
    static const struct known none = {0};
    if (t->data_id != 0)
        return true;
    t->data_id = -1; /* a circle of keys ends here */
    for (const char *oid = t->refers_to; oid != NULL; oid = next_oid(oid)) {
        struct plan_table *to = configuration_of(p, oid);
        if (to != NULL && !add_configuration(m, p, to, e))
            return false;
    }
    if (!add_table(m, t, &none, e))
        return false;
    struct toc_entry *entry = &m->entries[m->count - 1];
    for (const char *oid = t->refers_to; oid != NULL; oid = next_oid(oid)) {
        const struct plan_table *to = configuration_of(p, oid);
        if (to != NULL && to->data_id > 0)
            add_to_depends(m, entry, to->data_id);
    }
    return true;
}

static bool add_all(struct merge *m, const struct plan *p, struct err *e)
{
    const struct known tables = known_of(m->arena, &m->toc, "TABLE");
    const struct known sequences = known_of(m->arena, &m->toc, "SEQUENCE");
    m->next_id = toc_next_id(&m->toc);
    m->entries = arena_array(m->arena, p->count + p->sequence_count + 3 * p->large_count + 1,
                             sizeof(*m->entries));
    for (size_t i = 0; i < p->count; i++) {
        struct plan_table *t = &p->tables[i];
        if (t->of_extension ? !add_configuration(m, p, t, e) : !add_table(m, t, &tables, e))
            return false;
    }
    for (size_t i = 0; i < p->sequence_count; i++)
        if (!add_sequence(m, &p->sequences[i], &sequences, e))
            return false;
    if (p->large_count > 0)
        add_large(m, p);
    toc_insert(m->arena, &m->toc, m->entries, m->count);
    return true;
}

static enum toc_compression packing(struct compression how)
{
    switch (how.codec) {
    case MEMBER_NONE:
        return TOC_PLAIN;
    case MEMBER_GZIP:
        return TOC_GZIP;
    case MEMBER_ZSTD:
        return TOC_ZSTD;
    }
    return TOC_PLAIN;
}

bool merge_archive(struct arena *a, const char *folder, struct compression how,
                   const struct plan *p, struct manifest *m, struct err *e)
{
    struct merge merge = {.arena = a, .folder = folder, .suffix = member_suffix(how.codec)};
    struct err unknown = {0};
    m->tool_version = m->server_version;
    if (!toc_read_checked(a, folder, &merge.toc, &unknown)) {
        m->not_stock = arena_printf(a,
                                    "its archive is of a kind that this migsafe does not know, "
                                    "so that only migsafe restores it (%s)",
                                    unknown.message);
        return true;
    }
    m->tool_version = merge.toc.tool_version;
    if (how.codec == MEMBER_ZSTD && merge.toc.minor < 15) {
        m->not_stock = "its pg_restore does not read zstd: run unzstd --rm *.dat.zst in it first";
        how = (struct compression){.codec = MEMBER_NONE};
    }
    toc_set_compression(&merge.toc, packing(how), how.level);
    return add_all(&merge, p, e) && toc_write(a, folder, &merge.toc, e);
}

bool merge_list_large(struct arena *a, const char *folder, const struct plan *p, struct err *e)
{
    struct str list = str_on(a);
    for (size_t i = 0; i < p->large_count; i++)
        str_printf(&list, "%u blob_%u.dat\n", p->large[i].oid, p->large[i].oid);
    return p->large_count == 0 ||
           fs_write_atomic(a, fs_join(a, folder, large_list), list.text, list.length, e);
}
