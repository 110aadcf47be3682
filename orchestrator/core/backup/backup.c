#include "core/backup/backup.h"

#include <errno.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/stop.h"
#include "base/version.h"
#include "core/backup/dump.h"
#include "core/backup/files.h"
#include "core/backup/merge.h"
#include "core/backup/pg_dump.h"
#include "core/backup/store.h"
#include "core/fence/fence.h"
#include "ext/repo.h"
#include "sql/queries.h"

enum { MOST_PER_SECOND = 99, LEAST_FREE_PART = 10, QUERY_LIMIT_MS = 24 * 60 * 60 * 1000 };

/* A backup in the making; all NULL when that kind was not asked for. */
struct making {
    const char *id, *folder;
    int lock;
};

struct take {
    struct arena *arena;
    const struct backup_spec *spec;
    struct making full, data;
    struct frozen frozen;
    struct manifest manifest;
    struct compression compression;
    const char *large_folder; /* of what pg_dump writes; NULL: nothing */
    struct plan plan;
};

static bool begin_one(struct take *t, struct making *m, const char *kind, const char *stamp,
                      int again, struct err *e)
{
    const char *id = store_id_make(t->arena, t->manifest.database.name, stamp, kind, again);
    if (!store_begin(t->arena, t->spec->backup_dir, id, &m->lock, &m->folder, e)) {
        m->folder = NULL; /* somebody else's */
        return false;
    }
    m->id = id;
    return true;
}

/* Nothing of it stays.  What is in the way of that is not told: something else failed before. */
static void undo_one(struct take *t, struct making *m)
{
    struct err ignored = {0};
    if (m->id != NULL && !store_abandon(t->arena, t->spec->backup_dir, m->id, &ignored))
        m->id = NULL;
    fd_close(m->lock);
    *m = (struct making){.lock = -1};
}

/* Both kinds share the stamp, and the number behind it. */
static bool begin(struct take *t, struct err *e)
{
    const char *stamp = clock_stamp(t->arena);
    for (int again = 1; again <= MOST_PER_SECOND; again++) {
        *e = (struct err){0};
        if ((!(t->spec->kinds & BACKUP_FULL) || begin_one(t, &t->full, "full", stamp, again, e)) &&
            (!(t->spec->kinds & BACKUP_DATA) || begin_one(t, &t->data, "data", stamp, again, e)))
            return true;
        undo_one(t, &t->full);
        undo_one(t, &t->data);
        if (e->kind != ERR_BUSY)
            return false;
    }
    return false;
}

static bool check_room(struct take *t, struct err *e)
{
    int64_t free_bytes, needs = t->manifest.database.bytes / LEAST_FREE_PART;
    const char *dir = t->spec->backup_dir;
    if (!fs_mkdirs(t->arena, dir, e) || !fs_free_bytes(dir, &free_bytes, e))
        return false;
    if (free_bytes >= needs)
        return true;
    err_set(e, ERR_SYSTEM, "not enough room for a backup in \"%s\"", dir);
    err_hint(e, "The database has %s; a tenth of that must be free, and a backup may need more.",
             str_bytes(t->arena, t->manifest.database.bytes));
    return false;
}

static void take_git(struct take *t)
{
    if (t->spec->project_dir == NULL)
        return;
    struct repo_facts git = repo_read(t->arena, t->spec->project_dir);
    t->manifest.git_commit = git.commit;
    t->manifest.git_branch = git.branch;
    t->manifest.git_dirty = git.dirty;
}

/* Its oid and size stay those of the database that is read: rows and counters are of that one. */
static bool take_database(struct take *t, struct pg *db, struct err *e)
{
    struct database_facts *f = &t->manifest.database;
    if (!database_read(t->arena, db, t->spec->live->dbname, f, e))
        return false;
    fence_take_out(t->arena, f);
    if (t->spec->as == NULL)
        return true;
    const char *oid = f->oid;
    int64_t bytes = f->bytes;
    *f = *t->spec->as;
    f->oid = oid;
    f->bytes = bytes;
    return true;
}

static bool take_facts(struct take *t, struct pg *db, struct err *e)
{
    struct manifest *m = &t->manifest;
    struct err untold = {0};
    m->server = pg_value(t->arena, db, sql_server_identity, PG_NONE, &untold);
    m->reason = t->spec->reason;
    m->label = t->spec->label;
    m->run = t->spec->run;
    m->migsafe_version = MIGSAFE_VERSION;
    m->started_at = clock_rfc3339(t->arena);
    m->server_version = pg_value(t->arena, db, "SHOW server_version", PG_NONE, e);
    take_git(t);
    return m->server_version != NULL && take_database(t, db, e);
}

static const char *folder_of(const struct take *t)
{
    return t->full.folder != NULL ? t->full.folder : t->data.folder;
}

/* pg_dump wants folders of its own. */
static const char *folder_for(struct take *t, const char *name)
{
    return t->full.folder == NULL ? NULL : fs_join(t->arena, t->full.folder, name);
}

/* Whether pg_dump must write the large objects. */
static bool ask_large(struct take *t, struct pg *db, struct err *e)
{
    if (t->full.folder == NULL || pg_server_version(db) < PG_DUMP_GROUPS_LARGE)
        return true;
    const char *any =
        pg_value(t->arena, db, "SELECT EXISTS (SELECT FROM pg_largeobject_metadata)", PG_NONE, e);
    if (any != NULL && strcmp(any, "t") == 0)
        t->large_folder = folder_for(t, "large");
    return any != NULL;
}

static bool run_dump(struct take *t, struct pg *db, const char *pg_dump, struct err *e)
{
    const struct backup_spec *spec = t->spec;
    const struct dump_spec dump = {
        .from = spec->live,
        .pg_dump = t->full.folder == NULL ? NULL : pg_dump,
        .folder = folder_of(t),
        .schema_folder = folder_for(t, "schema"),
        .large_folder = t->large_folder,
        .frozen = &t->frozen,
        .holder = db,
        .jobs = spec->jobs < 1 ? 1 : spec->jobs,
        .split_size = spec->split_size,
        .lock_timeout_ms = spec->lock_timeout_ms,
        .compression = t->compression,
        .progress = spec->progress,
    };
    t->manifest.snapshot = t->frozen.snapshot;
    t->manifest.snapshot_xmax = t->frozen.xmax;
    t->manifest.lsn = t->frozen.lsn;
    t->manifest.lc_monetary = t->frozen.lc_monetary;
    t->manifest.compression = compression_text(t->arena, t->compression);
    return dump_run(t->arena, &dump, &t->manifest, &t->plan, e);
}

/* The part with sessions: all are closed when it returns. */
static bool dump(struct take *t, struct err *e)
{
    const struct backup_spec *spec = t->spec;
    const struct session_use use = {.application_name = "migsafe backup",
                                    .query_deadline_ms = QUERY_LIMIT_MS};
    const char *pg_dump = NULL;
    AUTO(pg) struct pg *db = connection_open(spec->live, &use, e);
    if (db == NULL)
        return false;
    int version = pg_server_version(db);
    t->compression = compression_for(t->compression, version);
    if ((spec->kinds & BACKUP_FULL) &&
        !connection_tool(t->arena, spec->pg_bin, "pg_dump", version, &pg_dump, e))
        return false;
    return take_facts(t, db, e) && check_room(t, e) && begin(t, e) &&
           freeze(t->arena, db, spec->lock_timeout_ms, &t->frozen, e) &&
           ledgers_read(t->arena, db, &t->manifest.ledgers, e) && ask_large(t, db, e) &&
           run_dump(t, db, pg_dump, e);
}

/* What pg_dump made, moved beside the data, and the data entered into it. */
static bool merge(struct take *t, struct err *e)
{
    const char *folder = t->full.folder, *schema = folder_for(t, "schema");
    const struct merge_spec spec = {.folder = folder,
                                    .large_folder = t->large_folder,
                                    .how = t->compression,
                                    .plan = &t->plan,
                                    .as = t->spec->as};
    if (folder == NULL) {
        t->manifest.tool_version = t->manifest.server_version;
        return true;
    }
    return fs_rename(t->arena, fs_join(t->arena, schema, "toc.dat"),
                     fs_join(t->arena, folder, "toc.dat"), e) &&
           fs_remove_tree(t->arena, schema, e) && merge_archive(t->arena, &spec, &t->manifest, e);
}

/* Sums and manifest, everything on disk, then the name that makes it a backup. */
static bool finish(struct take *t, struct making *m, struct manifest *manifest, const char *kind,
                   struct err *e)
{
    manifest->id = m->id;
    manifest->kind = kind;
    if (!store_write_sums(t->arena, m->folder, manifest->files, manifest->file_count, e) ||
        !fs_sync_dir(m->folder, e) || !stop_check(e) ||
        !manifest_write(t->arena, m->folder, manifest, e))
        return false;
    return store_finish(t->arena, t->spec->backup_dir, m->id, e);
}

/* Before the files are listed. */
static bool remove_empty(struct take *t, const char *folder, struct err *e)
{
    for (size_t i = 0; t->spec->only_filled && i < t->plan.count; i++) {
        const struct manifest_table *table = t->plan.tables[i].to;
        if (table->rows == 0 &&
            !fs_remove_tree(t->arena, fs_join(t->arena, folder, table->file), e))
            return false;
    }
    return true;
}

static void take_filled(struct take *t, struct manifest *m)
{
    const struct manifest all = *m;
    if (!t->spec->only_filled)
        return;
    m->tables = arena_array(t->arena, all.table_count + 1, sizeof(*m->tables));
    m->configuration_tables =
        arena_array(t->arena, all.configuration_count + 1, sizeof(*m->configuration_tables));
    m->table_count = m->configuration_count = 0;
    for (size_t i = 0; i < all.table_count; i++)
        if (all.tables[i].rows > 0)
            m->tables[m->table_count++] = all.tables[i];
    for (size_t i = 0; i < all.configuration_count; i++)
        if (all.configuration_tables[i].rows > 0)
            m->configuration_tables[m->configuration_count++] = all.configuration_tables[i];
}

static bool assemble(struct take *t, struct backup_done *done, struct err *e)
{
    bool full = t->full.folder != NULL, data = t->data.folder != NULL;
    const char *folder = folder_of(t);
    struct strlist left;
    if (!merge(t, e) || !merge_list_large(t->arena, folder, &t->plan, e) ||
        !remove_empty(t, folder, e) ||
        !files_take(t->arena, folder, &t->plan, &t->manifest, &left, e) ||
        !files_sync(t->arena, folder, &left, t->spec->jobs, e))
        return false;
    struct manifest without_toc = files_without_toc(t->arena, &t->manifest);
    without_toc.not_stock = NULL;
    take_filled(t, &without_toc);
    if (full && data && !files_link(t->arena, &without_toc, folder, t->data.folder, e))
        return false;
    t->manifest.finished_at = without_toc.finished_at = clock_rfc3339(t->arena);
    if ((data && !finish(t, &t->data, &without_toc, "data", e)) ||
        (full && !finish(t, &t->full, &t->manifest, "full", e)))
        return false;
    done->full_id = t->full.id;
    done->data_id = t->data.id;
    done->manifest = full ? t->manifest : without_toc;
    done->data = without_toc;
    return true;
}

/* How much room there is, for whoever reads of a full disk. */
static void say_free(struct take *t, struct err *e)
{
    struct err ignored = {0};
    int64_t bytes;
    bool full = strstr(e->message, strerror(ENOSPC)) != NULL ||
                strstr(e->message, strerror(EDQUOT)) != NULL ||
                strstr(e->message, "not enough room") != NULL;
    if (full && e->kind == ERR_SYSTEM && e->detail[0] == '\0' &&
        fs_free_bytes(t->spec->backup_dir, &bytes, &ignored))
        err_detail(e, "%lld bytes are free in \"%s\".", (long long)bytes, t->spec->backup_dir);
}

bool backup_take(struct arena *a, const struct backup_spec *spec, struct backup_done *done,
                 struct err *e)
{
    struct take t = {.arena = a, .spec = spec, .full.lock = -1, .data.lock = -1};
    int64_t started_ms = clock_ms();
    *done = (struct backup_done){0};
    assert((spec->kinds & (BACKUP_FULL | BACKUP_DATA)) != 0);
    assert(!spec->only_filled || spec->kinds == BACKUP_DATA);
    bool ok = compression_parse(spec->compression, &t.compression, e) && dump(&t, e) &&
              assemble(&t, done, e);
    plan_release(&t.plan);
    if (!ok) {
        say_free(&t, e);
        undo_one(&t, &t.full);
        undo_one(&t, &t.data);
        return err_wrap(e, "could not back up database \"%s\"", spec->live->dbname);
    }
    fd_close(t.full.lock);
    fd_close(t.data.lock);
    done->elapsed_ms = clock_ms() - started_ms;
    return true;
}
