#include "core/restore/configuration.h"

#include "core/restore/compare.h"
#include "core/restore/load.h"

struct configured {
    const struct manifest_table *table;
    const char *copy;
    const char *oid; /* where it is loaded; NULL: it is not there */
    bool loaded;
};

struct configuring {
    struct arena *arena;
    struct pg *db;
    const struct rows_spec *spec;
    struct configured *items;
    size_t count;
    struct pg_rows keys; /* "table" refers to "target" */
};

static void take_manifest(struct configuring *c)
{
    const struct manifest *m = &c->spec->backup->manifest;
    c->items = arena_array(c->arena, m->configuration_count + 1, sizeof(*c->items));
    for (size_t i = 0; i < m->configuration_count; i++) {
        const struct manifest_table *t = &m->configuration_tables[i];
        if (t->file == NULL)
            continue;
        c->items[c->count++] = (struct configured){
            .table = t,
            .copy = load_copy(c->arena, m, pg_ident2(c->arena, t->schema, t->name),
                              load_columns(c->arena, t), NULL)};
    }
}

/* pg_dump's name of a data file is without the suffix. */
static bool is_file_of(const char *file, const struct toc_entry *entry)
{
    size_t n = strlen(entry->file);
    return file != NULL && strncmp(file, entry->file, n) == 0 &&
           (file[n] == '\0' || strcmp(file + n, ".gz") == 0 || strcmp(file + n, ".zst") == 0);
}

static const char *stored_file(const struct manifest *m, const struct toc_entry *entry)
{
    for (size_t i = 0; i < m->file_count; i++)
        if (is_file_of(m->files[i].name, entry))
            return m->files[i].name;
    return NULL;
}

static int by_file(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Files of the tables that the manifest has, without suffixes, sorted. */
static const char **known_files(struct arena *a, const struct manifest *m, size_t *count)
{
    const char **files = arena_array(a, m->table_count + 1, sizeof(*files));
    *count = 0;
    for (size_t i = 0; i < m->table_count; i++) {
        const char *file = m->tables[i].file;
        if (file == NULL)
            continue;
        size_t n = strlen(file);
        n -= str_ends(file, ".gz") ? 3 : str_ends(file, ".zst") ? 4 : 0;
        files[(*count)++] = arena_strndup(a, file, n);
    }
    qsort(files, *count, sizeof(*files), by_file);
    return files;
}

/* The COPY of the archive: it names the columns that the file has, in the encoding of the file. */
static void take_archive(struct configuring *c)
{
    const struct manifest *m = &c->spec->backup->manifest;
    const struct toc *toc = c->spec->toc;
    size_t known_count;
    const char **known = known_files(c->arena, m, &known_count);
    c->items = arena_array(c->arena, toc->count + 1, sizeof(*c->items));
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        if (strcmp(entry->type, "TABLE DATA") != 0 || entry->file == NULL || entry->copy == NULL ||
            bsearch(&entry->file, known, known_count, sizeof(*known), by_file) != NULL)
            continue;
        const char *file = stored_file(m, entry);
        if (file == NULL)
            continue;
        struct manifest_table *t = ARENA_NEW(c->arena, struct manifest_table);
        *t = (struct manifest_table){
            .schema = entry->schema, .name = entry->tag, .rows = -1, .file = file};
        c->items[c->count++] = (struct configured){.table = t, .copy = entry->copy};
    }
}

static bool look_up(struct configuring *c, struct err *e)
{
    const char **names = arena_array(c->arena, c->count + 1, sizeof(*names));
    struct pg_rows oids;
    for (size_t i = 0; i < c->count; i++)
        names[i] = pg_ident2(c->arena, c->items[i].table->schema, c->items[i].table->name);
    if (!pg_query(c->arena, c->db,
                  "SELECT to_regclass(name)::oid::text AS oid"
                  " FROM unnest($1::text[]) WITH ORDINALITY AS u (name, n) ORDER BY n",
                  PG_ARGS(pg_array(c->arena, names, c->count)), &oids, e))
        return false;
    for (size_t i = 0; i < c->count; i++)
        c->items[i].oid = pg_cell(&oids, i, "oid");
    return pg_query(c->arena, c->db,
                    "SELECT conrelid::text AS table, confrelid::text AS target"
                    " FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid",
                    PG_NONE, &c->keys, e);
}

static bool waits(const struct configuring *c, const struct configured *item)
{
    for (size_t k = 0; k < c->keys.count; k++) {
        if (!str_same(pg_cell(&c->keys, k, "table"), item->oid))
            continue;
        for (size_t i = 0; i < c->count; i++)
            if (!c->items[i].loaded && str_same(c->items[i].oid, pg_cell(&c->keys, k, "target")))
                return true;
    }
    return false;
}

/* In a circle of keys the first: the server will say what it thinks of it. */
static struct configured *next(struct configuring *c)
{
    struct configured *first = NULL;
    for (size_t i = 0; i < c->count; i++) {
        if (c->items[i].loaded)
            continue;
        if (!waits(c, &c->items[i]))
            return &c->items[i];
        first = first == NULL ? &c->items[i] : first;
    }
    return first;
}

static bool load_all(struct configuring *c, struct err *e)
{
    struct differences d = differences_on(c->arena);
    for (struct configured *item = next(c); item != NULL; item = next(c)) {
        const struct load_spec load = {.folder = c->spec->backup->folder,
                                       .table = item->table,
                                       .to = -1,
                                       .copy = item->copy,
                                       .progress = c->spec->progress};
        int64_t rows;
        if (!load_text(c->db, &load, &rows, e))
            return false;
        item->loaded = true;
        if (item->table->rows >= 0)
            differences_rows(&d, item->table, rows);
    }
    return differences_none(&d, e);
}

/* Texts of an archive are in its own encoding. */
static bool speak_archive(const struct configuring *c, struct err *e)
{
    const struct manifest *m = &c->spec->backup->manifest;
    return pg_execf(c->db, e, "SET client_encoding = %s",
                    pg_literal(c->arena, m->database.encoding));
}

bool configuration_load(struct arena *a, struct pg *db, const struct rows_spec *spec, struct err *e)
{
    struct configuring c = {.arena = a, .db = db, .spec = spec};
    bool by_archive = spec->backup->manifest.configuration_count == 0 && spec->toc != NULL;
    if (by_archive)
        take_archive(&c);
    else
        take_manifest(&c);
    if (c.count == 0)
        return true;
    if (!load_session(db, &spec->backup->manifest, e) || (by_archive && !speak_archive(&c, e)) ||
        !look_up(&c, e) || !load_all(&c, e))
        return false;
    return !by_archive || pg_exec(db, "SET client_encoding = 'UTF8'", e);
}

/* All are deleted from at once where keys refer to each other: the last first. */
static bool clear_all(struct configuring *c, struct err *e)
{
    struct strlist deletes = strlist_on(c->arena);
    for (struct configured *item = next(c); item != NULL; item = next(c)) {
        const char *condition = item->table->condition == NULL ? "" : item->table->condition;
        item->loaded = true;
        if (item->oid != NULL)
            strlist_printf(&deletes, "DELETE FROM %s %s",
                           pg_ident2(c->arena, item->table->schema, item->table->name), condition);
    }
    for (size_t i = deletes.count; i-- > 0;)
        if (!pg_exec(c->db, deletes.items[i], e))
            return err_wrap(e, "could not remove rows of an extension");
    return true;
}

bool configuration_clear(struct arena *a, struct pg *db, const struct rows_spec *spec,
                         struct err *e)
{
    struct configuring c = {.arena = a, .db = db, .spec = spec};
    take_manifest(&c);
    if (c.count > 0)
        return look_up(&c, e) && clear_all(&c, e);
    if (spec->toc != NULL)
        take_archive(&c);
    if (c.count == 0)
        return true;
    err_set(e, ERR_PREFLIGHT,
            "backup \"%s\" does not tell which rows of table \"%s\".\"%s\" are its"
            " extension's own",
            spec->backup->id, c.items[0].table->schema, c.items[0].table->name);
    err_hint(e, "Restore it into a new database by --into NAME.");
    return false;
}
