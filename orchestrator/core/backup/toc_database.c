/*
 * The database that an archive is of.
 */
#include "core/backup/toc.h"
#include "ext/pg.h"

/* Behind a name as SQL has it, quoted or not. */
static const char *after_name(const char *sql)
{
    bool quoted = false;
    for (; *sql != '\0' && (quoted || (*sql != ' ' && *sql != ';')); sql++)
        quoted = quoted != (*sql == '"');
    return sql;
}

static const char *of_other(struct arena *a, const char *sql, const char *command, const char *name)
{
    if (sql == NULL || !str_starts(sql, command))
        return sql;
    return arena_printf(a, "%s%s%s", command, pg_ident(a, name), after_name(sql + strlen(command)));
}

/* Comment, rights and settings: those of the database that stood for it. */
static bool tells_of_database(const struct toc_entry *entry)
{
    return strcmp(entry->type, "DATABASE PROPERTIES") == 0 ||
           (entry->tag != NULL && str_starts(entry->tag, "DATABASE ") &&
            (strcmp(entry->type, "COMMENT") == 0 || strcmp(entry->type, "ACL") == 0 ||
             strcmp(entry->type, "SECURITY LABEL") == 0));
}

bool toc_is_of_database(const struct toc_entry *entry)
{
    return strcmp(entry->type, "DATABASE") == 0 || tells_of_database(entry);
}

void toc_set_database(struct arena *a, struct toc *toc, const char *name, const char *owner)
{
    size_t kept = 0;
    toc->database = name;
    for (size_t i = 0; i < toc->count; i++) {
        struct toc_entry entry = toc->entries[i];
        if (tells_of_database(&entry))
            continue;
        if (strcmp(entry.type, "DATABASE") == 0) {
            entry.tag = name;
            entry.owner = owner;
            entry.definition = of_other(a, entry.definition, "CREATE DATABASE ", name);
            entry.drop = of_other(a, entry.drop, "DROP DATABASE ", name);
        }
        toc->entries[kept++] = entry;
    }
    toc->count = kept;
}
