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

/* By what is said, else by the name of the file. */
static bool read_format(const char *format, struct export_spec *spec, struct err *e)
{
    const char *to = spec->to == NULL ? "" : spec->to;
    if (format == NULL)
        format = str_ends(to, ".tar") || str_ends(to, ".tar.gz") ? "tar" : "sql";
    if (strcmp(format, "tar") != 0 && strcmp(format, "sql") != 0)
        return err_set(e, ERR_USAGE, "--format is sql or tar, not \"%s\"", format);
    spec->format = strcmp(format, "tar") == 0 ? EXPORT_TAR : EXPORT_SQL;
    spec->gzip = spec->gzip || str_ends(to, ".gz");
    return true;
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct stored backup;
    struct export_spec spec = {.backup = &backup, .out = ctx->out};
    const char *format = NULL;
    const struct opt opts[] = {
        {"output", OPT_TEXT, &spec.to, "FILE", "write a file (0600), never over another"},
        {"format", OPT_TEXT, &format, "sql|tar",
         "plain SQL (default), or the backup itself as one file"},
        {"gzip", OPT_FLAG, &spec.gzip, NULL, "compress it; so does a name that ends in .gz"},
        {"inserts", OPT_FLAG, &spec.inserts, NULL,
         "INSERT with column names, one a row, instead of COPY: slow to load"},
        {"clean", OPT_FLAG, &spec.clean, NULL,
         "DROP ... IF EXISTS first: for a database that is not empty"},
        {"no-owner", OPT_FLAG, &spec.no_owner, NULL, "name no owners: all is of who loads it"},
        {"no-acl", OPT_FLAG, &spec.no_acl, NULL, "leave out GRANT and REVOKE"},
        {"disable-triggers", OPT_FLAG, &spec.disable_triggers, NULL,
         "data alone: foreign keys and triggers off while it is loaded, by a superuser"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    if (ctx->json && spec.to == NULL) {
        err_set(e, ERR_USAGE, "--json needs --output: standard output takes the export");
        err_hint(e, "Add --output FILE.");
        return false;
    }
    if (!read_format(format, &spec, e))
        return false;
    spec.pg_bin = ctx->settings->pg_bin;
    spec.scratch = ctx->settings->state_dir;
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
    .summary = "a backup as plain SQL for psql, or as one tar: to standard output or a file",
    .details =
        "ID may be \"latest\": the newest full backup of the configured database.  A full"
        " backup is loaded\n"
        "into an empty database, all or nothing:\n"
        "\n"
        "  migsafe export latest | psql -X -v ON_ERROR_STOP=1 --single-transaction -d NEW\n"
        "\n"
        "\"migsafe restore FILE\" takes it too.  A data backup is loaded into tables that are"
        " there, in the\n"
        "order of their names; rows of _prisma_migrations are left out.  A tar is for"
        " \"migsafe import\".",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
