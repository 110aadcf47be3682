#include "core/backup/store.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/pool.h"
#include "base/stop.h"
#include "ext/digest.h"
#include "ext/member.h"
#include "ext/pg.h"

#include <stdatomic.h>

/* What `sha256sum -c` reads; written and checked here. */
static char *sums_text(struct arena *a, const struct manifest_file *files, size_t count)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < count; i++)
        str_printf(&s, "%s  %s\n", files[i].sha256, files[i].name);
    return s.text;
}

static const char *manifest_path(struct arena *a, const char *folder)
{
    return fs_join(a, folder, "manifest.json");
}

/* False: the folder went away meanwhile. */
static bool read_one(struct arena *a, const char *backup_dir, const char *name, struct stored *s)
{
    struct err e = {0};
    struct store_id id;
    if (!store_id_parse(a, name, &id))
        return false;
    *s = (struct stored){.id = name, .folder = fs_join(a, backup_dir, name)};
    s->taken_at = id.taken_at;
    if (!manifest_read(a, s->folder, &s->manifest, &e))
        s->damage =
            e.kind == ERR_NOT_FOUND ? "it has no manifest.json" : arena_strdup(a, e.message);
    else if (strcmp(s->manifest.id, name) != 0)
        s->damage = arena_printf(a, "its manifest says it is \"%s\"", s->manifest.id);
    else if (strcmp(s->manifest.kind, id.kind) != 0)
        s->damage = arena_printf(a, "its manifest says it is of kind %s", s->manifest.kind);
    else
        s->taken_at = clock_parse_rfc3339(s->manifest.started_at);
    return s->damage == NULL || fs_is_dir(s->folder);
}

static int by_age(const void *x, const void *y)
{
    const struct stored *a = x, *b = y;
    if (a->taken_at != b->taken_at)
        return a->taken_at < b->taken_at ? -1 : 1;
    return strcmp(a->id, b->id);
}

bool store_read(struct arena *a, const char *backup_dir, struct store *s, struct err *e)
{
    struct strlist names;
    *s = (struct store){0};
    if (!fs_exists(backup_dir))
        return true;
    if (!fs_list(a, backup_dir, FS_DIRS, &names, e))
        return err_wrap(e, "could not list the backups");
    s->items = arena_array(a, names.count + 1, sizeof(*s->items));
    for (size_t i = 0; i < names.count; i++)
        s->count += read_one(a, backup_dir, names.items[i], &s->items[s->count]);
    qsort(s->items, s->count, sizeof(*s->items), by_age);
    return true;
}

bool store_find(struct arena *a, const char *backup_dir, const char *id, struct stored *found,
                struct err *e)
{
    const char *name = arena_strdup(a, id);
    if (!fs_is_dir(fs_join(a, backup_dir, name)) || !read_one(a, backup_dir, name, found)) {
        err_set(e, ERR_NOT_FOUND, "no backup \"%s\" in \"%s\"", id, backup_dir);
        err_hint(e, "Run \"migsafe list\" to see the backups.");
        return false;
    }
    return found->damage == NULL ||
           err_set(e, ERR_DAMAGED, "backup \"%s\" cannot be used: %s", id, found->damage);
}

bool store_write_sums(struct arena *a, const char *folder, const struct manifest_file *files,
                      size_t count, struct err *e)
{
    const char *text = sums_text(a, files, count);
    return fs_write_atomic(a, fs_join(a, folder, "SHA256SUMS"), text, strlen(text), e);
}

char *store_file_label(struct arena *a, const char *file, const struct manifest_table *t)
{
    return t == NULL
               ? arena_printf(a, "file \"%s\"", file)
               : arena_printf(a, "file \"%s\" (table %s)", file, pg_ident2(a, t->schema, t->name));
}

static const char *label_of(struct arena *a, const struct manifest *m, const char *file)
{
    const struct manifest_table *owner = NULL;
    for (size_t i = 0; i < m->table_count && owner == NULL; i++)
        if (str_same(m->tables[i].file, file))
            owner = &m->tables[i];
    return store_file_label(a, file, owner);
}

bool store_check_file(struct arena *a, const struct stored *s, const struct manifest_file *file,
                      const char *label, struct err *e)
{
    const char *path = fs_join(a, s->folder, file->name);
    char *hex;
    int64_t bytes;
    if (!fs_is_file(path))
        return err_set(e, ERR_DAMAGED, "%s is missing", label);
    if (!fs_tree_bytes(a, path, &bytes, e) || !digest_file(a, path, &hex, e))
        return false;
    if (bytes != file->bytes)
        return err_set(e, ERR_DAMAGED, "%s has %lld bytes, %lld were written", label,
                       (long long)bytes, (long long)file->bytes);
    return strcmp(hex, file->sha256) == 0 ||
           err_set(e, ERR_DAMAGED, "%s is not what was written: its SHA-256 differs", label);
}

bool store_sums_agree(struct arena *a, const struct stored *s, bool *same, struct err *e)
{
    enum { SUMS_MAX_BYTES = 256 << 20 };
    const struct manifest *m = &s->manifest;
    char *sums;
    *same = fs_read(a, fs_join(a, s->folder, "SHA256SUMS"), SUMS_MAX_BYTES, &sums, NULL, e);
    if (!*same && e->kind != ERR_NOT_FOUND)
        return false;
    *e = (struct err){0};
    *same = *same && strcmp(sums, sums_text(a, m->files, m->file_count)) == 0;
    return true;
}

struct checking {
    const struct stored *backup;
    _Atomic size_t next; /* file */
};

static bool check_some(void *context, int worker UNUSED, struct err *e)
{
    struct checking *c = context;
    const struct manifest *m = &c->backup->manifest;
    for (;;) {
        AUTO(arena) struct arena *a = arena_new();
        size_t i = atomic_fetch_add(&c->next, 1);
        if (i >= m->file_count)
            return true;
        if (!stop_check(e) ||
            !store_check_file(a, c->backup, &m->files[i], label_of(a, m, m->files[i].name), e))
            return false;
    }
}

bool store_verify_files(struct arena *a, const struct stored *s, struct err *e)
{
    enum { THREADS = 4 }; /* more of them wait for the disk only */
    size_t count = s->manifest.file_count;
    struct checking checking = {.backup = s};
    const struct pool_spec pool = {.threads = count > THREADS ? THREADS : (int)count,
                                   .work = check_some,
                                   .context = &checking};
    bool same;
    if (count > 0 && !pool_run(&pool, e))
        return err_wrap(e, "backup \"%s\"", s->id);
    return store_sums_agree(a, s, &same, e) &&
           (same ||
            err_set(e, ERR_DAMAGED,
                    "backup \"%s\": file \"%s\" is missing, or it and the manifest disagree", s->id,
                    fs_join(a, s->folder, "SHA256SUMS")));
}

/* Reads the manifest as a document, so that a change of one key leaves all others alone. */
static struct json *open_manifest(struct arena *a, const struct stored *s, struct err *e)
{
    enum { MANIFEST_MAX_BYTES = 256 << 20 };
    char *text;
    size_t length;
    if (!fs_read(a, manifest_path(a, s->folder), MANIFEST_MAX_BYTES, &text, &length, e))
        return NULL;
    return json_parse(text, length, e);
}

static bool rewrite(struct arena *a, const struct stored *s, const struct json *j, struct err *e)
{
    const char *text = json_pretty(a, j);
    return fs_write_atomic(a, manifest_path(a, s->folder), text, strlen(text), e);
}

bool store_pin(struct arena *a, const struct stored *s, bool pinned, struct err *e)
{
    AUTO(json) struct json *j = open_manifest(a, s, e);
    if (j == NULL)
        return err_wrap(e, "could not pin backup \"%s\"", s->id);
    json_put_bool(j, "pinned", pinned);
    return rewrite(a, s, j, e) || err_wrap(e, "could not pin backup \"%s\"", s->id);
}

bool store_add_verification(struct arena *a, const struct stored *s, const char *level,
                            const char *result, struct err *e)
{
    struct json *list;
    AUTO(json) struct json *j = open_manifest(a, s, e);
    if (j == NULL || !json_need_array(j, "verified", &list, e))
        return err_wrap(e, "could not note the verification of backup \"%s\"", s->id);
    struct json *check = json_push_object(list);
    json_put(check, "level", level);
    json_put(check, "at", clock_rfc3339(a));
    json_put(check, "result", result);
    return rewrite(a, s, j, e) ||
           err_wrap(e, "could not note the verification of backup \"%s\"", s->id);
}

static bool restored(const struct manifest_check *check)
{
    return check != NULL && strcmp(check->level, "restore") == 0;
}

const struct manifest_check *store_failed_by(const struct manifest *m)
{
    const struct manifest_check *failed = NULL;
    for (size_t i = 0; i < m->verified_count; i++) {
        const struct manifest_check *check = &m->verified[i];
        if (strcmp(check->result, "ok") != 0)
            failed = check;
        else if (restored(check) || !restored(failed))
            failed = NULL;
    }
    return failed;
}

const struct manifest_check *store_proven_by(const struct manifest *m)
{
    const struct manifest_check *good = NULL;
    for (size_t i = 0; i < m->verified_count; i++) {
        const struct manifest_check *check = &m->verified[i];
        if (strcmp(check->result, "ok") == 0 && (restored(check) || !restored(good)))
            good = check;
    }
    return store_failed_by(m) == NULL ? good : NULL;
}

static int by_name(const void *x, const void *y)
{
    return strcmp(((const struct manifest_file *)x)->name, ((const struct manifest_file *)y)->name);
}

struct manifest store_sorted(struct arena *a, const struct manifest *m)
{
    struct manifest sorted = *m;
    sorted.files = arena_array(a, m->file_count + 1, sizeof(*sorted.files));
    if (m->file_count > 0)
        memcpy(sorted.files, m->files, m->file_count * sizeof(*sorted.files));
    qsort(sorted.files, m->file_count, sizeof(*sorted.files), by_name);
    return sorted;
}

bool store_has_file(const struct manifest *sorted, const char *name)
{
    const struct manifest_file like = {.name = name};
    return sorted->file_count > 0 &&
           bsearch(&like, sorted->files, sorted->file_count, sizeof(like), by_name) != NULL;
}

const char *store_packed_name(struct arena *a, const struct manifest *sorted, const char *name)
{
    static const enum member_codec codecs[] = {MEMBER_NONE, MEMBER_GZIP, MEMBER_ZSTD};
    if (name == NULL || name[0] == '\0')
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        const char *packed = arena_printf(a, "%s%s", name, member_suffix(codecs[i]));
        if (store_has_file(sorted, packed))
            return packed;
    }
    return NULL;
}
