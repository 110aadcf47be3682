#include "cmd/backup_find.h"

#include "base/log.h"
#include "sql/queries.h"

static bool find_latest(struct cmd_context *ctx, struct stored *found, struct err *e)
{
    const char *folder = ctx->settings->backup_dir;
    const struct stored *latest = NULL;
    struct site site;
    struct store store;
    if (!cmd_site(ctx, &site, e) || !store_read(ctx->arena, folder, &store, e))
        return false;
    for (size_t i = 0; i < store.count; i++) {
        const struct stored *s = &store.items[i];
        if (s->damage == NULL && strcmp(s->manifest.kind, "full") == 0 &&
            strcmp(s->manifest.database.name, site.live.dbname) == 0)
            latest = s;
    }
    if (latest == NULL) {
        err_set(e, ERR_NOT_FOUND, "no full backup of database \"%s\" in \"%s\"", site.live.dbname,
                folder);
        err_hint(e, "Run \"migsafe list\" to see the backups.");
        return false;
    }
    *found = *latest;
    return true;
}

bool backup_find(struct cmd_context *ctx, const char *operand, struct stored *found, struct err *e)
{
    return strcmp(operand, "latest") == 0
               ? find_latest(ctx, found, e)
               : store_find(ctx->arena, ctx->settings->backup_dir, operand, found, e);
}

void backup_warn_elsewhere(struct arena *a, struct pg *db, const struct stored *backup)
{
    struct err untold = {0};
    const char *here = pg_value(a, db, sql_server_identity, PG_NONE, &untold);
    if (here == NULL || backup->manifest.server == NULL ||
        strcmp(here, backup->manifest.server) == 0)
        return;
    log_warning("backup %s was taken on another server than this (%s, this is %s)", backup->id,
                backup->manifest.server, here);
}
