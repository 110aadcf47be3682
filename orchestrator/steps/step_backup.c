#include "base/fs.h"
#include "core/progress_note.h"
#include "steps/fencing.h"
#include "steps/hooks.h"

struct backup_spec run_backup_spec(const struct run *run, const char *reason, unsigned kinds)
{
    const struct settings *s = run->settings;
    return (struct backup_spec){
        .live = &run->site.live,
        .backup_dir = s->backup_dir,
        .pg_bin = s->pg_bin,
        .kinds = kinds,
        .reason = reason,
        .run = run->id,
        .project_dir = run->project.root,
        .jobs = s->jobs,
        .compression = s->compression,
        .split_size = s->split_size,
        .lock_timeout_ms = s->lock_timeout_ms,
    };
}

/* How far it is goes into the journal, and to who looks on. */
static bool take(struct run *run, const char *step, struct backup_spec *spec,
                 struct backup_done *done, struct err *e)
{
    struct progress_note told = progress_note_to(run->journal, step, run->progress);
    spec->progress = progress_note_of(&told);
    bool ok = backup_take(run->arena, spec, done, e);
    spec->progress = NULL;
    progress_release(&told.progress);
    return ok;
}

static void add_to_report(struct run *run, const char *id, const char *kind,
                          const struct manifest *m)
{
    struct report_backup b = {
        .id = id,
        .kind = kind,
        .path = fs_join(run->arena, run->settings->backup_dir, id),
        .bytes = m->bytes,
    };
    for (size_t i = 0; i < m->table_count; i++)
        b.rows += m->tables[i].rows;
    report_add_backup(&run->report, &b);
}

/* Full and data, one snapshot; read back and its files checked before anything is migrated. */
static bool apply(struct run *run, struct err *e)
{
    const struct settings *s = run->settings;
    struct backup_spec spec = run_backup_spec(run, "pre-deploy", BACKUP_FULL | BACKUP_DATA);
    if (!run_hooks(run, HOOK_PRE_BACKUP, spec.reason, e))
        return false;
    fencing_hooks_ran(run);
    if (!take(run, "backup", &spec, &run->backup, e))
        return false;
    if (!store_find(run->arena, s->backup_dir, run->backup.full_id, &run->stored, e) ||
        !store_verify_files(run->arena, &run->stored, e) ||
        !store_add_verification(run->arena, &run->stored, "files", "ok", e) ||
        !store_pin(run->arena, &run->stored, true, e))
        return err_wrap(e, "could not verify the backup just taken");
    run->has_backup = true;

    struct json *facts = json_object();
    json_put(facts, "full", run->backup.full_id);
    json_put(facts, "data", run->backup.data_id);
    json_put_int(facts, "bytes", run->backup.manifest.bytes);
    add_to_report(run, run->backup.full_id, "full", &run->backup.manifest);
    add_to_report(run, run->backup.data_id, "data", &run->backup.data);
    if (!journal_write(run->journal, "backup", "note", facts, NULL, e))
        return false;
    run_hooks_or_warn(run, HOOK_POST_BACKUP, spec.reason);
    return true;
}

const struct step step_backup = {
    .name = "backup",
    .what = "back up the database, full and data",
    .apply = apply,
};

static bool apply_after(struct run *run, struct err *e)
{
    struct backup_done done;
    if (!run->settings->backup_after)
        return true;
    struct backup_spec spec = run_backup_spec(run, "post-deploy", BACKUP_FULL);
    if (!run_hooks(run, HOOK_PRE_BACKUP, spec.reason, e))
        return false;
    if (!take(run, "backup-after", &spec, &done, e))
        return err_wrap(e, "could not take the backup after the deploy");
    add_to_report(run, done.full_id, "full", &done.manifest);
    run_hooks_or_warn(run, HOOK_POST_BACKUP, spec.reason);
    return true;
}

const struct step step_backup_after = {
    .name = "backup-after",
    .what = "back up the migrated database",
    .apply = apply_after,
};
