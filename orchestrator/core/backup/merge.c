#include "core/backup/merge.h"

#include "base/fs.h"
#include "core/backup/toc.h"

static const char large_list[] = "blobs.toc";

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
    struct toc toc, large; /* large: of large_folder; count 0: none */
    bool old_strings;      /* standard_conforming_strings is off: backslashes are escapes */
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
    if (id == 0 && t->of_extension)
        id = m->next_id++; /* of the table that CREATE EXTENSION makes */
    else if (id == 0)
        return err_set(e, ERR_CHILD, "pg_dump left out table %s", t->label);
    struct toc_entry *entry = add(m, "TABLE DATA", &t->in, id);
    t->data_id = entry->dump_id;
    entry->has_data = true;
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
    const char *to = fs_join(m->arena, m->folder, t->to->file);
    /* Not fs_rename: the folder is synced once, when all is in it. */
    return rename(from, to) == 0 ||
           err_sys(e, ERR_SYSTEM, "could not rename \"%s\" to \"%s\"", from, to);
}

/* As pg_dump writes a string: the archive itself says how its strings are read. */
static char *literal(const struct merge *m, const char *text)
{
    char *plain = pg_literal(m->arena, text);
    if (!m->old_strings || strchr(plain, '\\') == NULL)
        return plain;
    struct str s = str_on(m->arena);
    for (; *plain != '\0'; plain++) {
        if (*plain == '\\')
            str_add(&s, "\\");
        str_add_n(&s, plain, 1);
    }
    return s.text;
}

static bool add_sequence(struct merge *m, const struct plan_sequence *s,
                         const struct known *sequences, struct err *e)
{
    int64_t id = id_of(sequences, s->in.oid);
    if (id == 0 && s->of_extension)
        id = m->next_id++;
    else if (id == 0)
        return err_set(e, ERR_CHILD, "pg_dump left out sequence %s", s->in.quoted);
    struct toc_entry *entry = add(m, "SEQUENCE SET", &s->in, id);
    entry->definition = arena_printf(m->arena, "SELECT pg_catalog.setval(%s, %lld, %s);\n",
                                     literal(m, s->in.quoted), (long long)s->to->last_value,
                                     s->to->is_called ? "true" : "false");
    return true;
}

static void add_large(struct merge *m)
{
    struct toc_entry *entry = add(m, "BLOBS", NULL, 0);
    entry->has_data = true;
    entry->tag = "BLOBS";
    entry->file = large_list;
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
static bool add_configuration(struct merge *m, const struct plan *p, const struct known *tables,
                              struct plan_table *t, struct err *e)
{
    if (t->data_id != 0)
        return true;
    t->data_id = -1; /* a circle of keys ends here */
    for (const char *oid = t->refers_to; oid != NULL; oid = next_oid(oid)) {
        struct plan_table *to = configuration_of(p, oid);
        if (to != NULL && !add_configuration(m, p, tables, to, e))
            return false;
    }
    if (!add_table(m, t, tables, e))
        return false;
    struct toc_entry *entry = &m->entries[m->count - 1];
    for (const char *oid = t->refers_to; oid != NULL; oid = next_oid(oid)) {
        const struct plan_table *to = configuration_of(p, oid);
        if (to != NULL && to->data_id > 0)
            add_to_depends(m, entry, to->data_id);
    }
    return true;
}

/* What every archive begins with is there already. */
static bool is_about_archive(const struct toc_entry *entry)
{
    static const char *const types[] = {"ENCODING", "STDSTRINGS", "SEARCHPATH"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(entry->type, types[i]) == 0)
            return true;
    return toc_is_of_database(entry);
}

/* As they are, with ids that are free. */
static void add_groups(struct merge *m)
{
    int64_t by = m->next_id;
    m->next_id += toc_next_id(&m->large);
    for (size_t i = 0; i < m->large.count; i++) {
        if (is_about_archive(&m->large.entries[i]))
            continue;
        struct toc_entry *entry = &m->entries[m->count++];
        *entry = m->large.entries[i];
        entry->dump_id += by;
        entry->depends += entry->depends > 0 ? by : 0;
        entry->depend_ids = arena_array(m->arena, entry->depend_count + 1, sizeof(char *));
        for (size_t k = 0; k < entry->depend_count; k++) {
            int64_t id = by + strtoll(m->large.entries[i].depend_ids[k], NULL, 10);
            entry->depend_ids[k] = arena_printf(m->arena, "%lld", (long long)id);
        }
    }
}

static bool move_groups(struct arena *a, const struct merge_spec *spec, struct err *e)
{
    struct strlist names;
    if (!fs_list(a, spec->large_folder, FS_FILES, &names, e))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (strcmp(names.items[i], "toc.dat") != 0 &&
            !fs_rename(a, fs_join(a, spec->large_folder, names.items[i]),
                       fs_join(a, spec->folder, names.items[i]), e))
            return false;
    return fs_remove_tree(a, spec->large_folder, e);
}

static bool add_all(struct merge *m, const struct plan *p, struct err *e)
{
    const struct known tables = known_of(m->arena, &m->toc, "TABLE");
    const struct known sequences = known_of(m->arena, &m->toc, "SEQUENCE");
    m->next_id = toc_next_id(&m->toc);
    m->old_strings = toc_old_strings(&m->toc);
    m->entries = arena_array(m->arena, p->count + p->sequence_count + m->large.count + 2,
                             sizeof(*m->entries));
    for (size_t i = 0; i < p->count; i++) {
        struct plan_table *t = &p->tables[i];
        if (t->of_extension ? !add_configuration(m, p, &tables, t, e)
                            : !add_table(m, t, &tables, e))
            return false;
    }
    for (size_t i = 0; i < p->sequence_count; i++)
        if (!add_sequence(m, &p->sequences[i], &sequences, e))
            return false;
    if (p->large_count > 0)
        add_large(m);
    add_groups(m);
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

static bool read_archives(struct merge *m, const struct merge_spec *spec, struct err *e)
{
    return toc_read_checked(m->arena, spec->folder, &m->toc, e) &&
           (spec->large_folder == NULL ||
            toc_read_checked(m->arena, spec->large_folder, &m->large, e));
}

bool merge_archive(struct arena *a, const struct merge_spec *spec, struct manifest *m,
                   struct err *e)
{
    struct compression how = spec->how;
    struct merge merge = {.arena = a, .folder = spec->folder, .suffix = member_suffix(how.codec)};
    struct err unknown = {0};
    m->tool_version = m->server_version;
    bool known = read_archives(&merge, spec, &unknown);
    if (spec->large_folder != NULL && !move_groups(a, spec, e))
        return false;
    if (!known) {
        m->not_stock = arena_printf(a,
                                    "its archive is of a kind that this migsafe does not know, "
                                    "so that only migsafe restores it (%s)",
                                    unknown.message);
        return true;
    }
    m->tool_version = merge.toc.tool_version;
    if (how.codec == MEMBER_ZSTD && merge.toc.minor < 15) {
        m->not_stock = "its pg_restore does not read zstd: run unzstd --rm *.zst in it first";
        how = (struct compression){.codec = MEMBER_NONE};
    }
    toc_set_compression(&merge.toc, packing(how), how.level);
    if (spec->as != NULL)
        toc_set_database(a, &merge.toc, spec->as->name, spec->as->owner);
    return add_all(&merge, spec->plan, e) && toc_write(a, spec->folder, &merge.toc, e);
}

bool merge_list_large(struct arena *a, const char *folder, const struct plan *p, struct err *e)
{
    struct str list = str_on(a);
    for (size_t i = 0; i < p->large_count; i++)
        str_printf(&list, "%u blob_%u.dat\n", p->large[i].oid, p->large[i].oid);
    return p->large_count == 0 ||
           fs_write_atomic(a, fs_join(a, folder, large_list), list.text, list.length, e);
}
