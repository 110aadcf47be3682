#include "core/backup/manifest.h"

#include "base/fs.h"

static void put_ledgers(struct json *to, const struct ledgers *all)
{
    struct json *list = json_put_array(to, "ledger");
    for (size_t i = 0; i < all->count; i++) {
        struct json *ledger = json_push_object(list);
        json_put(ledger, "schema", all->items[i].schema);
        struct json *rows = json_put_array(ledger, "migrations");
        for (size_t k = 0; k < all->items[i].count; k++) {
            const struct ledger_row *row = &all->items[i].rows[k];
            struct json *j = json_push_object(rows);
            json_put(j, "id", row->id);
            json_put(j, "name", row->name);
            json_put(j, "checksum", row->checksum);
            json_put(j, "started_at", row->started_at);
            json_put(j, "finished_at", row->finished_at);
            json_put(j, "rolled_back_at", row->rolled_back_at);
            json_put_int(j, "applied_steps", row->applied_steps);
        }
    }
}

/* Keys that older backups lack are left out where there is nothing to say. */
static void put_optional(struct json *to, const char *key, const char *text)
{
    if (text != NULL)
        json_put(to, key, text);
}

static void put_more(struct json *to, const struct manifest_table *t)
{
    if (t->content != NULL)
        json_put_int(to, "text_bytes", t->text_bytes);
    put_optional(to, "content", t->content);
    put_optional(to, "load_root_schema", t->load_root_schema);
    put_optional(to, "load_root_name", t->load_root_name);
    put_optional(to, "extension", t->extension);
    put_optional(to, "condition", t->condition);
}

static void put_table(struct json *to, const struct manifest_table *t)
{
    json_put(to, "schema", t->schema);
    json_put(to, "name", t->name);
    json_put(to, "oid", t->oid);
    struct json *columns = json_put_array(to, "columns");
    for (size_t i = 0; i < t->column_count; i++) {
        struct json *column = json_push_object(columns);
        json_put(column, "name", t->columns[i].name);
        json_put(column, "type", t->columns[i].type);
        json_put_int(column, "values", t->columns[i].values);
        if (t->columns[i].generated)
            json_put_bool(column, "generated", true);
        put_optional(column, "fields", t->columns[i].fields);
    }
    json_put_int(to, "rows", t->rows);
    json_put_int(to, "bytes", t->bytes);
    json_put(to, "file", t->file);
    json_put(to, "sha256", t->sha256);
    struct json *members = json_put_array(to, "members");
    for (size_t i = 0; i < t->member_count; i++)
        json_push_int(members, t->members[i]);
    struct json *counters = json_put_object(to, "counters");
    json_put_int(counters, "inserted", t->inserted);
    json_put_int(counters, "updated", t->updated);
    json_put_int(counters, "deleted", t->deleted);
    put_more(to, t);
}

static void put_contents(struct json *to, const struct manifest *m)
{
    AUTO(arena) struct arena *a = arena_new();
    struct json *tables = json_put_array(to, "tables");
    for (size_t i = 0; i < m->table_count; i++)
        put_table(json_push_object(tables), &m->tables[i]);
    if (m->configuration_count > 0)
        tables = json_put_array(to, "configuration_tables");
    for (size_t i = 0; i < m->configuration_count; i++)
        put_table(json_push_object(tables), &m->configuration_tables[i]);
    struct json *sequences = json_put_array(to, "sequences");
    for (size_t i = 0; i < m->sequence_count; i++) {
        const struct manifest_sequence *s = &m->sequences[i];
        struct json *j = json_push_object(sequences);
        json_put(j, "schema", s->schema);
        json_put(j, "name", s->name);
        /* A text: a sequence may exceed the integers that JSON's numbers hold exactly. */
        json_put(j, "last_value", arena_printf(a, "%lld", (long long)s->last_value));
        json_put_bool(j, "is_called", s->is_called);
    }
    json_put_int(to, "large_objects", m->large_objects);
    json_put_int(to, "bytes", m->bytes);
    struct json *files = json_put_array(to, "files");
    for (size_t i = 0; i < m->file_count; i++) {
        struct json *file = json_push_object(files);
        json_put(file, "name", m->files[i].name);
        json_put_int(file, "bytes", m->files[i].bytes);
        json_put(file, "sha256", m->files[i].sha256);
    }
}

static void put_origin(struct json *to, const struct manifest *m)
{
    database_json(&m->database, json_put_object(to, "database"));
    struct json *versions = json_put_object(to, "versions");
    json_put(versions, "server", m->server_version);
    json_put(versions, "pg_dump", m->tool_version);
    json_put(versions, "migsafe", m->migsafe_version);
    json_put(to, "snapshot", m->snapshot);
    json_put(to, "snapshot_xmax", m->snapshot_xmax);
    json_put(to, "lsn", m->lsn);
    struct json *git = json_put_object(to, "git");
    json_put(git, "commit", m->git_commit);
    json_put(git, "branch", m->git_branch);
    json_put_bool(git, "dirty", m->git_dirty);
}

struct json *manifest_json(const struct manifest *m)
{
    struct json *j = json_object();
    json_put_int(j, "format", MANIFEST_FORMAT);
    json_put(j, "id", m->id);
    json_put(j, "kind", m->kind);
    json_put(j, "reason", m->reason);
    json_put(j, "label", m->label);
    json_put(j, "run", m->run);
    json_put_bool(j, "pinned", m->pinned);
    json_put(j, "started_at", m->started_at);
    json_put(j, "finished_at", m->finished_at);
    put_optional(j, "compression", m->compression);
    put_optional(j, "data_encoding", m->data_encoding);
    put_optional(j, "lc_monetary", m->lc_monetary);
    put_optional(j, "system_identifier", m->server);
    put_optional(j, "not_stock", m->not_stock);
    put_origin(j, m);
    put_ledgers(j, &m->ledgers);
    put_contents(j, m);
    struct json *verified = json_put_array(j, "verified");
    for (size_t i = 0; i < m->verified_count; i++) {
        struct json *check = json_push_object(verified);
        json_put(check, "level", m->verified[i].level);
        json_put(check, "at", m->verified[i].at);
        json_put(check, "result", m->verified[i].result);
    }
    return j;
}

bool manifest_write(struct arena *a, const char *folder, const struct manifest *m, struct err *e)
{
    AUTO(json) struct json *j = manifest_json(m);
    const char *text = json_pretty(a, j);
    return fs_write_atomic(a, fs_join(a, folder, "manifest.json"), text, strlen(text), e);
}

const char *manifest_lc_monetary(const struct manifest *m)
{
    static const char key[] = "lc_monetary=";
    const char *found = m->lc_monetary;
    for (size_t i = 0; i < m->database.settings.count && m->lc_monetary == NULL; i++)
        if (str_starts(m->database.settings.items[i], key))
            found = m->database.settings.items[i] + strlen(key);
    return found;
}

int64_t manifest_rows(const struct manifest *m)
{
    int64_t rows = 0;
    for (size_t i = 0; i < m->table_count; i++)
        rows += m->tables[i].rows;
    return rows;
}

const struct manifest_table *manifest_table_find(const struct manifest *m, const char *schema,
                                                 const char *name)
{
    for (size_t i = 0; i < m->table_count; i++)
        if (strcmp(m->tables[i].schema, schema) == 0 && strcmp(m->tables[i].name, name) == 0)
            return &m->tables[i];
    return NULL;
}
