/*
 * Strict on purpose: a restore believes what it reads here.
 */
#include "core/backup/manifest.h"

#include "base/clock.h"
#include "base/fs.h"

#include <errno.h>

enum { MANIFEST_MAX_BYTES = 256 << 20 };

/* A list of objects under a key: where its items go, and what reads one. */
struct list_of {
    const char *key;
    size_t item_size;
    bool (*read)(struct arena *a, const struct json *j, void *item, struct err *e);
};

static bool read_list(struct arena *a, const struct json *j, const struct list_of *list,
                      void *items, size_t *count, struct err *e)
{
    struct json *array;
    *count = 0;
    if (!json_need_array(j, list->key, &array, e))
        return false;
    char *at = arena_array(a, json_count(array) + 1, list->item_size);
    memcpy(items, &at, sizeof(at));
    for (const struct json *item = json_first(array); item != NULL; item = json_next(item)) {
        if (!list->read(a, item, at, e))
            return err_wrap(e, "%s[%zu]", list->key, *count);
        at += list->item_size;
        (*count)++;
    }
    return true;
}

/* A name that stays in the folder of the backup. */
static bool check_plain(const char *name, struct err *e)
{
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
        return err_set(e, ERR_DAMAGED, "file name \"%s\" is not a plain name", name);
    return true;
}

static bool check_sha256(const char *hex, struct err *e)
{
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return err_set(e, ERR_DAMAGED, "key \"sha256\" is not a SHA-256 in hex");
    return true;
}

static bool need_count(const struct json *j, const char *key, int64_t least, int64_t *value,
                       struct err *e)
{
    return json_need_int(j, key, value, e) &&
           (*value >= least ||
            err_set(e, ERR_DAMAGED, "key \"%s\" is less than %lld", key, (long long)least));
}

static bool read_ledger_row(struct arena *a, const struct json *j, void *item, struct err *e)
{
    struct ledger_row *row = item;
    int64_t steps;
    const struct json_text_field texts[] = {
        {"id", &row->id},
        {"name", &row->name},
        {"checksum", &row->checksum},
        {"started_at", &row->started_at},
        {"finished_at", &row->finished_at, .optional = true},
        {"rolled_back_at", &row->rolled_back_at, .optional = true},
    };
    if (!json_read_texts(a, j, texts, ARRAY_LEN(texts), e) ||
        !need_count(j, "applied_steps", 0, &steps, e))
        return false;
    row->applied_steps = (int)steps;
    return true;
}

static bool read_ledger(struct arena *a, const struct json *j, void *item, struct err *e)
{
    struct ledger *ledger = item;
    const struct list_of rows = {"migrations", sizeof(*ledger->rows), read_ledger_row};
    return json_read_texts(a, j, &(struct json_text_field){"schema", &ledger->schema}, 1, e) &&
           read_list(a, j, &rows, &ledger->rows, &ledger->count, e);
}

static bool read_column(struct arena *a, const struct json *j, void *item, struct err *e)
{
    struct manifest_column *column = item;
    const struct json_text_field texts[] = {{"name", &column->name}, {"type", &column->type}};
    const struct json_text_field fields = {"fields", &column->fields};
    return json_read_texts(a, j, texts, ARRAY_LEN(texts), e) &&
           (json_find(j, "fields") == NULL || json_read_texts(a, j, &fields, 1, e)) &&
           need_count(j, "values", 0, &column->values, e) &&
           (json_find(j, "generated") == NULL ||
            json_need_bool(j, "generated", &column->generated, e));
}

static bool read_members(struct arena *a, const struct json *j, struct manifest_table *t,
                         struct err *e)
{
    struct json *list;
    if (!json_need_array(j, "members", &list, e))
        return false;
    t->members = arena_array(a, json_count(list) + 1, sizeof(*t->members));
    int64_t last = -1;
    for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
        if (!json_whole(item, &t->members[t->member_count]) ||
            t->members[t->member_count] <= last || t->members[t->member_count] >= t->bytes)
            return err_set(e, ERR_DAMAGED, "key \"members\" is not a list of rising offsets");
        last = t->members[t->member_count++];
    }
    return true;
}

static bool check_content(const char *hex, struct err *e)
{
    if (hex != NULL && (strlen(hex) != 16 || strspn(hex, "0123456789abcdef") != 16))
        return err_set(e, ERR_DAMAGED, "key \"content\" is not 16 digits in hex");
    return true;
}

/* What backups from before the own engine lack. */
static bool read_more(struct arena *a, const struct json *j, struct manifest_table *t,
                      struct err *e)
{
    const struct json_text_field texts[] = {
        {"content", &t->content, .optional = true},
        {"load_root_schema", &t->load_root_schema, .optional = true},
        {"load_root_name", &t->load_root_name, .optional = true},
        {"extension", &t->extension, .optional = true},
        {"condition", &t->condition, .optional = true},
    };
    t->text_bytes = -1;
    if (!json_read_texts(a, j, texts, ARRAY_LEN(texts), e) ||
        (json_find(j, "text_bytes") != NULL && !need_count(j, "text_bytes", 0, &t->text_bytes, e)))
        return false;
    if ((t->content == NULL) != (t->text_bytes < 0))
        return err_set(e, ERR_DAMAGED, "keys \"text_bytes\" and \"content\" disagree");
    if ((t->load_root_schema == NULL) != (t->load_root_name == NULL))
        return err_set(e, ERR_DAMAGED, "keys \"load_root_schema\" and \"load_root_name\" disagree");
    return check_content(t->content, e);
}

static bool read_table(struct arena *a, const struct json *j, void *item, struct err *e)
{
    struct manifest_table *t = item;
    struct json *counters;
    const struct json_text_field texts[] = {
        {"schema", &t->schema},
        {"name", &t->name},
        {"oid", &t->oid, .optional = true},
        {"file", &t->file, .optional = true},
        {"sha256", &t->sha256, .optional = true},
    };
    const struct list_of columns = {"columns", sizeof(*t->columns), read_column};
    if (!json_read_texts(a, j, texts, ARRAY_LEN(texts), e) ||
        !read_list(a, j, &columns, &t->columns, &t->column_count, e) ||
        !need_count(j, "rows", 0, &t->rows, e) || !need_count(j, "bytes", -1, &t->bytes, e) ||
        !read_members(a, j, t, e) || !json_need_object(j, "counters", &counters, e) ||
        !need_count(counters, "inserted", -1, &t->inserted, e) ||
        !need_count(counters, "updated", -1, &t->updated, e) ||
        !need_count(counters, "deleted", -1, &t->deleted, e) || !read_more(a, j, t, e))
        return false;
    if ((t->file == NULL) != (t->sha256 == NULL) || (t->file == NULL) != (t->bytes < 0))
        return err_set(e, ERR_DAMAGED, "keys \"file\", \"sha256\" and \"bytes\" disagree");
    return t->file == NULL || (check_plain(t->file, e) && check_sha256(t->sha256, e));
}

static bool read_sequence(struct arena *a, const struct json *j, void *item, struct err *e)
{
    struct manifest_sequence *s = item;
    const char *value = "";
    char *end;
    const struct json_text_field texts[] = {
        {"schema", &s->schema}, {"name", &s->name}, {"last_value", &value}};
    if (!json_read_texts(a, j, texts, ARRAY_LEN(texts), e) ||
        !json_need_bool(j, "is_called", &s->is_called, e))
        return false;
    errno = 0;
    s->last_value = strtoll(value, &end, 10);
    if (value[strspn(value, "-0123456789")] != '\0' || end == value || *end != '\0' || errno != 0)
        return err_set(e, ERR_DAMAGED, "key \"last_value\" is not a whole number as text");
    return true;
}

static bool read_file(struct arena *a, const struct json *j, void *item, struct err *e)
{
    struct manifest_file *file = item;
    const struct json_text_field texts[] = {{"name", &file->name}, {"sha256", &file->sha256}};
    return json_read_texts(a, j, texts, ARRAY_LEN(texts), e) &&
           need_count(j, "bytes", 0, &file->bytes, e) && check_plain(file->name, e) &&
           check_sha256(file->sha256, e);
}

static bool read_check(struct arena *a, const struct json *j, void *item, struct err *e)
{
    struct manifest_check *check = item;
    const struct json_text_field texts[] = {
        {"level", &check->level}, {"at", &check->at}, {"result", &check->result}};
    return json_read_texts(a, j, texts, ARRAY_LEN(texts), e);
}

/* Whose is it, and can we read it?  Asked before anything else, so that a newer manifest is told
 * from a broken one. */
static bool check_format(const struct json *j, struct err *e)
{
    int64_t format;
    if (!json_is_object(j) || !json_need_int(j, "format", &format, e) || format < 1)
        return err_set(e, ERR_DAMAGED, "not a manifest of migsafe (no key \"format\")");
    if (format == MANIFEST_FORMAT)
        return true;
    err_set(e, ERR_DAMAGED, "key \"format\" is %lld, this migsafe reads up to %d",
            (long long)format, MANIFEST_FORMAT);
    err_hint(e, "Use the newer migsafe that made this backup.");
    return false;
}

static bool read_head(struct arena *a, const struct json *j, struct manifest *m, struct err *e)
{
    const struct json_text_field texts[] = {
        {"id", &m->id},
        {"kind", &m->kind},
        {"reason", &m->reason},
        {"label", &m->label, .optional = true},
        {"run", &m->run, .optional = true},
        {"started_at", &m->started_at},
        {"finished_at", &m->finished_at},
        {"snapshot", &m->snapshot},
        {"snapshot_xmax", &m->snapshot_xmax},
        {"lsn", &m->lsn},
        {"compression", &m->compression, .optional = true},
        {"data_encoding", &m->data_encoding, .optional = true},
        {"lc_monetary", &m->lc_monetary, .optional = true},
        {"system_identifier", &m->server, .optional = true},
        {"not_stock", &m->not_stock, .optional = true},
    };
    if (!json_read_texts(a, j, texts, ARRAY_LEN(texts), e) ||
        !json_need_bool(j, "pinned", &m->pinned, e))
        return false;
    if (strcmp(m->kind, "full") != 0 && strcmp(m->kind, "data") != 0)
        return err_set(e, ERR_DAMAGED, "key \"kind\" is neither full nor data");
    if (clock_parse_rfc3339(m->started_at) < 0)
        return err_set(e, ERR_DAMAGED, "key \"started_at\" is not a time");
    return true;
}

static bool read_origin(struct arena *a, const struct json *j, struct manifest *m, struct err *e)
{
    struct json *database, *versions, *git;
    const struct json_text_field version_texts[] = {{"server", &m->server_version},
                                                    {"pg_dump", &m->tool_version},
                                                    {"migsafe", &m->migsafe_version}};
    const struct json_text_field git_texts[] = {{"commit", &m->git_commit, .optional = true},
                                                {"branch", &m->git_branch, .optional = true}};
    if (!json_need_object(j, "database", &database, e) ||
        !json_need_object(j, "versions", &versions, e) || !json_need_object(j, "git", &git, e))
        return false;
    return (database_from_json(a, database, &m->database, e) || err_wrap(e, "database")) &&
           (json_read_texts(a, versions, version_texts, ARRAY_LEN(version_texts), e) ||
            err_wrap(e, "versions")) &&
           ((json_read_texts(a, git, git_texts, ARRAY_LEN(git_texts), e) &&
             json_need_bool(git, "dirty", &m->git_dirty, e)) ||
            err_wrap(e, "git"));
}

static bool read_contents(struct arena *a, const struct json *j, struct manifest *m, struct err *e)
{
    const struct list_of ledgers = {"ledger", sizeof(*m->ledgers.items), read_ledger};
    const struct list_of tables = {"tables", sizeof(*m->tables), read_table};
    const struct list_of configuration = {"configuration_tables", sizeof(*m->tables), read_table};
    const struct list_of sequences = {"sequences", sizeof(*m->sequences), read_sequence};
    const struct list_of files = {"files", sizeof(*m->files), read_file};
    const struct list_of verified = {"verified", sizeof(*m->verified), read_check};
    return read_list(a, j, &ledgers, &m->ledgers.items, &m->ledgers.count, e) &&
           read_list(a, j, &tables, &m->tables, &m->table_count, e) &&
           (json_find(j, configuration.key) == NULL ||
            read_list(a, j, &configuration, &m->configuration_tables, &m->configuration_count,
                      e)) &&
           read_list(a, j, &sequences, &m->sequences, &m->sequence_count, e) &&
           need_count(j, "large_objects", 0, &m->large_objects, e) &&
           need_count(j, "bytes", 0, &m->bytes, e) &&
           read_list(a, j, &files, &m->files, &m->file_count, e) &&
           read_list(a, j, &verified, &m->verified, &m->verified_count, e);
}

/* A table, or a file, by the name of the file. */
struct named {
    const char *file;
    const struct manifest_table *table;
    const struct manifest_file *listed;
};

static int by_file(const void *x, const void *y)
{
    const struct named *a = x, *b = y;
    int order = strcmp(a->file, b->file);
    return order != 0 ? order : (a->listed == NULL) - (b->listed == NULL);
}

static size_t name_tables(struct named *to, const struct manifest_table *tables, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (tables[i].file != NULL)
            to[n++] = (struct named){.file = tables[i].file, .table = &tables[i]};
    return n;
}

/* The file of a table is one of the list, as the list has it, and no other table's. */
static bool check_files(struct arena *a, const struct manifest *m, struct err *e)
{
    size_t most = m->file_count + m->table_count + m->configuration_count, n = 0;
    struct named *all = arena_array(a, most + 1, sizeof(*all));
    for (; n < m->file_count; n++)
        all[n] = (struct named){.file = m->files[n].name, .listed = &m->files[n]};
    n += name_tables(all + n, m->tables, m->table_count);
    n += name_tables(all + n, m->configuration_tables, m->configuration_count);
    qsort(all, n, sizeof(*all), by_file);
    for (size_t i = 0; i < n; i++) {
        const struct manifest_table *t = all[i].table;
        const struct named *before = i == 0 ? NULL : &all[i - 1];
        bool same = before != NULL && strcmp(before->file, all[i].file) == 0;
        if (t == NULL && same)
            return err_set(e, ERR_DAMAGED, "file \"%s\" is listed twice", all[i].file);
        if (t == NULL)
            continue;
        if (same && before->table != NULL)
            return err_set(e, ERR_DAMAGED,
                           "file \"%s\" is said to be of table \"%s\".\"%s\", and of \"%s\".\"%s\"",
                           t->file, t->schema, t->name, before->table->schema, before->table->name);
        if (!same || before->listed->bytes != t->bytes ||
            strcmp(before->listed->sha256, t->sha256) != 0)
            return err_set(e, ERR_DAMAGED,
                           "file \"%s\" of table \"%s\".\"%s\" is not so in the list of files",
                           t->file, t->schema, t->name);
    }
    return true;
}

/* Tables and sequences share the names of a schema. */
struct relation {
    const char *schema, *name;
};

static int by_name(const void *x, const void *y)
{
    const struct relation *a = x, *b = y;
    int order = strcmp(a->schema, b->schema);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static size_t list_tables(struct relation *to, const struct manifest_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (struct relation){tables[i].schema, tables[i].name};
    return count;
}

static bool check_names(struct arena *a, const struct manifest *m, struct err *e)
{
    size_t most = m->table_count + m->configuration_count + m->sequence_count;
    struct relation *all = arena_array(a, most + 1, sizeof(*all));
    size_t n = list_tables(all, m->tables, m->table_count);
    n += list_tables(all + n, m->configuration_tables, m->configuration_count);
    for (size_t i = 0; i < m->sequence_count; i++)
        all[n++] = (struct relation){m->sequences[i].schema, m->sequences[i].name};
    qsort(all, n, sizeof(*all), by_name);
    for (size_t i = 1; i < n; i++)
        if (by_name(&all[i - 1], &all[i]) == 0)
            return err_set(e, ERR_DAMAGED, "\"%s\".\"%s\" is named twice", all[i].schema,
                           all[i].name);
    return true;
}

bool manifest_read(struct arena *a, const char *folder, struct manifest *m, struct err *e)
{
    const char *path = fs_join(a, folder, "manifest.json");
    char *text;
    size_t length;
    *m = (struct manifest){0};
    if (!fs_read(a, path, MANIFEST_MAX_BYTES, &text, &length, e))
        return false;
    AUTO(json) struct json *j = json_parse(text, length, e);
    return (j != NULL && check_format(j, e) && read_head(a, j, m, e) && read_origin(a, j, m, e) &&
            read_contents(a, j, m, e) && check_names(a, m, e) && check_files(a, m, e)) ||
           err_wrap(e, "backup manifest \"%s\" is damaged", path);
}
