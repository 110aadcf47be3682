#include "base/fs.h"
#include "base/log.h"
#include "cmd/backup_find.h"
#include "cmd/cmd.h"
#include "core/backup/export.h"
#include "ext/digest.h"

static bool print_done(struct cmd_context *ctx, const struct export_spec *spec, struct err *e)
{
    struct arena *a = ctx->arena;
    int64_t bytes;
    char *sha256;
    if (!fs_tree_bytes(a, spec->to, &bytes, e) || !digest_file(a, spec->to, &sha256, e))
        return false;
    if (!ctx->json) {
        fprintf(ctx->out, "backup %s exported to %s (%s)\n", spec->backup->id, spec->to,
                str_bytes(a, bytes));
        return true;
    }
    struct json *j = json_object();
    json_put(j, "backup", spec->backup->id);
    json_put(j, "file", spec->to);
    json_put_int(j, "bytes", bytes);
    json_put(j, "sha256", sha256);
    cmd_print(ctx, j);
    return true;
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct stored backup;
    struct export_spec spec = {.backup = &backup, .out = ctx->out};
    const struct opt opts[] = {
        {"output", OPT_TEXT, &spec.to, "FILE", "write a file (0600), never over another"},
        {"gzip", OPT_FLAG, &spec.gzip, NULL, "compress it"},
        {"clean", OPT_FLAG, &spec.clean, NULL,
         "DROP ... IF EXISTS first: for a database that is not empty"},
        {"no-owner", OPT_FLAG, &spec.no_owner, NULL, "name no owners: all is of who loads it"},
        {"no-acl", OPT_FLAG, &spec.no_acl, NULL, "leave out GRANT and REVOKE"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    if (ctx->json && spec.to == NULL) {
        err_set(e, ERR_USAGE, "--json needs --output: standard output takes the SQL");
        err_hint(e, "Add --output FILE.");
        return false;
    }
    spec.pg_bin = ctx->settings->pg_bin;
    if (!backup_find(ctx, args.items[0], &backup, e))
        return false;
    log_info("exporting backup %s", backup.id);
    if (!backup_export(ctx->arena, &spec, e))
        return err_wrap(e, "could not export");
    return spec.to == NULL || print_done(ctx, &spec, e);
}

const struct command cmd_export = {
    .name = "export",
    .args = "ID",
    .summary = "a full backup as plain SQL for psql, to standard output or a file",
    .details = "ID may be \"latest\": the newest full backup of the configured database.  It is"
               " made by pg_restore\n"
               "from the backup's own archive.  Load it into an empty database, all or nothing:\n"
               "\n"
               "  migsafe export latest | psql -X -v ON_ERROR_STOP=1 --single-transaction -d NEW\n"
               "\n"
               "\"migsafe restore FILE\" takes it too.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
