#include "core/restore/own_index.h"

enum {
    LARGE_BYTES = 8 << 20, /* of text; the indexes of smaller ones are soon made */
    LEAST_WORK_MEM_MB = 256,
};

static const char add_constraint[] = "ALTER TABLE ONLY ";

/* Sessions of ours speak UTF-8. */
static bool is_spoken(const struct toc *toc)
{
    bool encoding = false, strings = false;
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        const char *sql = entry->definition == NULL ? "" : entry->definition;
        if (strcmp(entry->type, "ENCODING") == 0)
            encoding = strstr(sql, "'UTF8'") != NULL;
        if (strcmp(entry->type, "STDSTRINGS") == 0)
            strings = strstr(sql, "'on'") != NULL;
    }
    return encoding && strings;
}

static bool is_known(const struct toc_entry *entry)
{
    const char *sql = entry->definition == NULL ? "" : entry->definition;
    if (strcmp(entry->type, "INDEX") == 0)
        return str_starts(sql, "CREATE INDEX ") || str_starts(sql, "CREATE UNIQUE INDEX ");
    return strcmp(entry->type, "CONSTRAINT") == 0 && str_starts(sql, add_constraint) &&
           strstr(sql, "\n    ADD CONSTRAINT ") != NULL;
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int64_t *ids_after_rows(struct arena *a, const struct toc *toc, size_t *count)
{
    int64_t *ids = arena_array(a, toc->count + 1, sizeof(*ids));
    *count = 0;
    for (size_t i = 0; i < toc->count; i++)
        if (toc->entries[i].section == TOC_POST_DATA)
            ids[(*count)++] = toc->entries[i].dump_id;
    qsort(ids, *count, sizeof(*ids), by_id);
    return ids;
}

/* The one table that it depends on; -1: none, several, or something that is made after the rows. */
static int64_t table_of(const struct toc_entry *entry, const struct toc_tables *known,
                        const int64_t *after, size_t after_count)
{
    int64_t table = -1;
    for (size_t d = 0; d < entry->depend_count; d++) {
        int64_t id = strtoll(entry->depend_ids[d], NULL, 10);
        int64_t found = toc_tables_find(known, entry->depend_ids[d]);
        if (bsearch(&id, after, after_count, sizeof(id), by_id) != NULL ||
            (found >= 0 && table >= 0 && found != table))
            return -1;
        table = found >= 0 ? found : table;
    }
    return table;
}

/* Rows that come through a partitioned table may come at any time. */
static bool is_large(const struct manifest_table *t)
{
    return t->file != NULL && t->load_root_name == NULL && t->rows > 0 &&
           (t->text_bytes > 0 ? t->text_bytes : t->bytes) >= LARGE_BYTES;
}

void own_index_plan(struct arena *a, const struct toc *toc, const struct manifest *m,
                    struct own_index **items, size_t *count)
{
    const struct toc_tables known = toc_tables_of(a, toc, m);
    size_t after_count;
    const int64_t *after = ids_after_rows(a, toc, &after_count);
    *items = arena_array(a, toc->count + 1, sizeof(**items));
    *count = 0;
    if (!is_spoken(toc))
        return;
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        int64_t table = is_known(entry) ? table_of(entry, &known, after, after_count) : -1;
        if (table < 0 || !is_large(&m->tables[table]))
            continue;
        (*items)[(*count)++] = (struct own_index){
            .entry = i,
            .table = (size_t)table,
            .alone = strstr(entry->definition, "ALTER TABLE ") != NULL,
            .last = toc_computes(entry->definition),
        };
    }
}

bool own_index_memory(struct pg *db, struct err *e)
{
    return pg_execf(db, e,
                    "SELECT pg_catalog.set_config(name, '%dMB', false) FROM pg_catalog.pg_settings"
                    " WHERE name = 'maintenance_work_mem' AND setting::bigint < %d",
                    LEAST_WORK_MEM_MB, LEAST_WORK_MEM_MB * 1024);
}

bool own_index_session(struct pg *db, struct err *e)
{
    return (pg_exec(db,
                    "SET check_function_bodies = off; SET xmloption = content;"
                    "SET client_min_messages = warning; SET row_security = off",
                    e) &&
            own_index_memory(db, e)) ||
           err_wrap(e, "could not set up the session");
}

/* A constraint's tag has the table's name before its own. */
static const char *name_of(const struct toc_entry *entry, const struct manifest_table *table)
{
    size_t n = strlen(table->name);
    bool constraint = strcmp(entry->type, "CONSTRAINT") == 0;
    return constraint && strncmp(entry->tag, table->name, n) == 0 && entry->tag[n] == ' '
               ? entry->tag + n + 1
               : entry->tag;
}

bool own_index_make(struct pg *db, const struct toc_entry *entry,
                    const struct manifest_table *table, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *tablespace = entry->tablespace == NULL ? "" : entry->tablespace;
    return pg_execf(db, e, "SET default_tablespace = %s; %s", pg_literal(a, tablespace),
                    entry->definition) ||
           err_wrap(e, "could not make %s \"%s\" of table \"%s\".\"%s\"",
                    strcmp(entry->type, "INDEX") == 0 ? "index" : "constraint",
                    name_of(entry, table), table->schema, table->name);
}
