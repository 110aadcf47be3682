#include "core/restore/toc_tables.h"

struct toc_table {
    int64_t dump_id;
    const struct manifest_table *table;
    int64_t number;
};

static int by_name(const void *a, const void *b)
{
    const struct toc_table *x = a, *y = b;
    int schema = strcmp(x->table->schema, y->table->schema);
    return schema != 0 ? schema : strcmp(x->table->name, y->table->name);
}

static int by_id(const void *a, const void *b)
{
    const struct toc_table *x = a, *y = b;
    return x->dump_id < y->dump_id ? -1 : x->dump_id > y->dump_id;
}

struct toc_tables toc_tables_of(struct arena *a, const struct toc *toc, const struct manifest *m)
{
    size_t count = toc == NULL ? 0 : m->table_count;
    struct toc_tables found = {.items = arena_array(a, count + 1, sizeof(*found.items)),
                               .count = count};
    for (size_t i = 0; i < count; i++)
        found.items[i] = (struct toc_table){.table = &m->tables[i], .number = (int64_t)i};
    qsort(found.items, count, sizeof(*found.items), by_name);
    for (size_t i = 0; count > 0 && i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        if (strcmp(entry->type, "TABLE") != 0 || entry->schema == NULL)
            continue;
        const struct manifest_table wanted = {.schema = entry->schema, .name = entry->tag};
        struct toc_table *item = bsearch(&(struct toc_table){.table = &wanted}, found.items, count,
                                         sizeof(*found.items), by_name);
        if (item != NULL)
            item->dump_id = entry->dump_id;
    }
    qsort(found.items, count, sizeof(*found.items), by_id);
    return found;
}

int64_t toc_tables_find(const struct toc_tables *tables, const char *dump_id)
{
    const struct toc_table wanted = {.dump_id = strtoll(dump_id, NULL, 10)};
    const struct toc_table *item =
        bsearch(&wanted, tables->items, tables->count, sizeof(*tables->items), by_id);
    return item == NULL || wanted.dump_id == 0 ? -1 : item->number;
}

/* To the end of what is quoted from here. */
static const char *past_quoted(const char *at)
{
    char quote = *at++;
    while (*at != '\0' && *at != quote)
        at++;
    return at;
}

bool toc_computes(const char *definition)
{
    int depth = 0;
    for (const char *at = definition; *at != '\0'; at++) {
        if (*at == '"' || *at == '\'')
            at = past_quoted(at);
        if (*at == '(' && ++depth > 1)
            return true;
        if (*at == ')')
            return strstr(at, " WHERE ") != NULL;
        if (*at == '\0')
            break;
    }
    return true;
}
