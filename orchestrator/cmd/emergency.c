#include "cmd/emergency.h"

#include "base/log.h"

bool emergency_backup(struct cmd_context *ctx, const struct connection *live, const char *run,
                      const char *label, struct stored *saved, struct err *e)
{
    const struct settings *s = ctx->settings;
    struct backup_done done;
    const struct backup_spec spec = {
        .live = live,
        .backup_dir = s->backup_dir,
        .pg_bin = s->pg_bin,
        .kinds = BACKUP_FULL | BACKUP_DATA,
        .reason = "emergency",
        .label = label,
        .run = run,
        .project_dir = s->project,
        .jobs = s->jobs,
        .compression = s->compression,
        .split_size = s->split_size,
        .lock_timeout_ms = s->lock_timeout_ms,
    };
    log_info("taking an emergency backup");
    if (!backup_take(ctx->arena, &spec, &done, e) ||
        !store_find(ctx->arena, s->backup_dir, done.full_id, saved, e) ||
        !store_verify_files(ctx->arena, saved, e) ||
        !store_add_verification(ctx->arena, saved, "files", "ok", e))
        return err_wrap(e, "could not take the emergency backup");
    log_info("emergency backup %s taken, its files verified", saved->id);
    return true;
}
