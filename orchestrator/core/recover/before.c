#include "core/recover/before.h"

#include "base/fs.h"
#include "ext/digest.h"
#include "ext/json.h"

enum { INTENDED_MAX_BYTES = 256 * 1024 * 1024 };

static const char *or_none(const char *text)
{
    return text == NULL ? "-" : text;
}

static void add_ledger(struct str *s, const struct ledger *l)
{
    str_printf(s, "%s\n", l->schema);
    for (size_t i = 0; i < l->count; i++) {
        const struct ledger_row *r = &l->rows[i];
        str_printf(s, "%s %s %s %s %s %s %d\n", r->id, or_none(r->checksum), r->name,
                   or_none(r->started_at), or_none(r->finished_at), or_none(r->rolled_back_at),
                   r->applied_steps);
    }
}

/* Of all ledgers but the one in schema `without` (NULL: of all). */
static const char *ledgers_digest(struct arena *a, const struct ledgers *all, const char *without)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < all->count; i++)
        if (!str_same(all->items[i].schema, without))
            add_ledger(&s, &all->items[i]);
    return digest_sha256(a, s.text, s.length);
}

static const char *main_schema(const struct before *b)
{
    return b->main == NULL ? b->schema : b->main->schema;
}

static int64_t count_in(const struct ledger *l, enum ledger_state state)
{
    int64_t n = 0;
    for (size_t i = 0; l != NULL && i < l->count; i++)
        n += ledger_row_state(&l->rows[i]) == state;
    return n;
}

struct json *before_json(struct arena *a, const struct before *b)
{
    struct json *j = json_object();
    json_put(j, "part", "before");
    json_put(j, "catalogs", b->catalogs->digest);
    json_put(j, "ledgers", ledgers_digest(a, b->ledgers, NULL));
    json_put(j, "others", ledgers_digest(a, b->ledgers, main_schema(b)));
    json_put_int(j, "applied", count_in(b->main, LEDGER_APPLIED));
    return j;
}

static bool is_applied(const struct ledger *l, const struct past_migration *m)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->rows[i].name, m->name) == 0 &&
            ledger_row_state(&l->rows[i]) == LEDGER_APPLIED &&
            (m->checksum == NULL || str_same(l->rows[i].checksum, m->checksum)))
            return true;
    return false;
}

static bool is_own(const struct past *past, const struct ledger_row *r)
{
    for (size_t i = 0; i < past->migration_count; i++) {
        const struct past_migration *m = &past->migrations[i];
        if (strcmp(r->name, m->name) == 0 &&
            (m->checksum == NULL || str_same(r->checksum, m->checksum)))
            return true;
    }
    return false;
}

bool before_others_migrated(const struct past *past, const struct ledger *main)
{
    int64_t applied = 0, failed = 0;
    for (size_t i = 0; main != NULL && i < main->count; i++) {
        enum ledger_state state = ledger_row_state(&main->rows[i]);
        bool own = is_own(past, &main->rows[i]);
        applied += !own && state == LEDGER_APPLIED;
        failed += !own && state == LEDGER_FAILED;
    }
    return past->applied >= 0 && (applied > past->applied || failed > 0);
}

/* All of them and nothing else: what else was applied since is not the run's. */
static bool is_complete(struct arena *a, const struct past *past, const struct before *now)
{
    if (now->main == NULL || past->applied < 0 || past->migration_count == 0 ||
        count_in(now->main, LEDGER_FAILED) > 0 ||
        count_in(now->main, LEDGER_APPLIED) != past->applied + (int64_t)past->migration_count ||
        !str_same(past->other_ledgers, ledgers_digest(a, now->ledgers, main_schema(now))))
        return false;
    for (size_t i = 0; i < past->migration_count; i++)
        if (!is_applied(now->main, &past->migrations[i]))
            return false;
    return true;
}

enum recover_ledger before_compare(struct arena *a, const struct past *past,
                                   const struct before *now)
{
    if (past->catalogs != NULL && str_same(past->catalogs, now->catalogs->digest) &&
        str_same(past->ledgers, ledgers_digest(a, now->ledgers, NULL)))
        return LEDGER_AS_BEFORE;
    return is_complete(a, past, now) ? LEDGER_COMPLETE : LEDGER_BETWEEN;
}

static const char *intended_path(struct arena *a, const char *run_folder)
{
    return fs_join(a, run_folder, "migrations.json");
}

bool intended_write(struct arena *a, const char *run_folder, const struct migration_list *list,
                    struct err *e)
{
    AUTO(json) struct json *j = json_object();
    struct json *items = json_put_array(j, "migrations");
    for (size_t i = 0; i < list->count; i++) {
        struct json *m = json_push_object(items);
        json_put(m, "name", list->items[i].name);
        json_put(m, "checksum", list->items[i].checksum);
        json_put(m, "sql", list->items[i].sql);
    }
    const char *text = json_pretty(a, j);
    return fs_write_atomic(a, intended_path(a, run_folder), text, strlen(text), e) ||
           err_wrap(e, "could not write down the migrations");
}

static const char *copied(struct arena *a, const struct json *j, const char *key)
{
    const char *text = json_str(j, key, NULL);
    return text == NULL ? NULL : arena_strdup(a, text);
}

static bool same(const struct past *past, const struct migration_list *list)
{
    for (size_t i = 0; i < list->count && i < past->migration_count; i++)
        if (!str_same(list->items[i].name, past->migrations[i].name) ||
            !str_same(list->items[i].checksum, past->migrations[i].checksum))
            return false;
    return list->count == past->migration_count;
}

bool intended_read(struct arena *a, const char *run_folder, const struct past *past,
                   struct migration_list *list, struct err *e)
{
    const char *path = intended_path(a, run_folder);
    char *text;
    size_t length;
    *list = (struct migration_list){0};
    if (!fs_read(a, path, INTENDED_MAX_BYTES, &text, &length, e))
        return false;
    AUTO(json) struct json *j = json_parse(text, length, e);
    if (j == NULL)
        return err_wrap(e, "file \"%s\"", path);
    const struct json *items = json_find(j, "migrations");
    list->items = arena_array(a, json_count(items) + 1, sizeof(*list->items));
    for (const struct json *m = json_first(items); m != NULL; m = json_next(m)) {
        const char *sql = copied(a, m, "sql");
        list->items[list->count++] = (struct migration){
            .name = arena_strdup(a, json_str(m, "name", "")),
            .path = path,
            .sql = sql,
            .length = sql == NULL ? 0 : strlen(sql),
            .checksum = copied(a, m, "checksum"),
        };
    }
    return same(past, list) ||
           err_set(e, ERR_DAMAGED, "file \"%s\" has other migrations than the journal", path);
}

static const char *catalogs_path(struct arena *a, const char *run_folder)
{
    return fs_join(a, run_folder, "catalogs.txt");
}

bool catalogs_write(struct arena *a, const char *run_folder, const struct snapshot *catalogs,
                    struct err *e)
{
    const char *text = strlist_join(&catalogs->lines, "\n");
    return fs_write_atomic(a, catalogs_path(a, run_folder), text, strlen(text), e) ||
           err_wrap(e, "could not write down the catalogs");
}

bool catalogs_read(struct arena *a, const char *run_folder, struct snapshot *catalogs,
                   struct err *e)
{
    char *text, *line, *next;
    size_t length;
    if (!fs_read(a, catalogs_path(a, run_folder), INTENDED_MAX_BYTES, &text, &length, e))
        return false;
    *catalogs = (struct snapshot){.lines = strlist_on(a), .digest = digest_sha256(a, text, length)};
    for (line = text; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        strlist_add(&catalogs->lines, line);
    }
    return true;
}
