#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/random.h"
#include "cmd/backup_output.h"
#include "cmd/cmd.h"
#include "cmd/progress_line.h"
#include "cmd/restore_file.h"
#include "core/backup/import.h"
#include "core/restore/schema_dump.h"
#include "core/restore/take_over.h"
#include "core/scratch.h"

struct job {
    struct cmd_context *ctx;
    const char *operand, *label;
    const char *schema_from; /* "live", the id of a full backup; or NULL */
    const char *run;
    const char *schema;     /* folder of that schema's archive */
    struct scratch scratch; /* that it is in */
    struct site site;
    struct restore_file file;
    struct progress *progress;
    int64_t began_ms;
};

static void print_one(struct job *j, const struct stored *s, struct json *list)
{
    struct arena *a = j->ctx->arena;
    const struct manifest *m = &s->manifest;
    backup_json(s, NULL, json_push_object(list));
    if (!j->ctx->json)
        fprintf(j->ctx->out, "%s  %s, %s, %s rows, %s\n", s->id, str_bytes(a, m->bytes),
                str_plural(a, (int64_t)m->table_count, "table", "tables"),
                str_count(a, manifest_rows(m)), clock_human_ms(a, clock_ms() - j->began_ms));
}

static void print_end(struct job *j, struct json *doc)
{
    json_put_int(doc, "elapsed_ms", clock_ms() - j->began_ms);
    if (j->ctx->json)
        cmd_print(j->ctx, json_copy(doc));
}

/* --- one of ours --------------------------------------------------------------------------------
 */

static bool import_ours(struct job *j, struct err *e)
{
    const struct settings *s = j->ctx->settings;
    struct stored imported;
    const struct import_spec spec = {
        .path = j->operand, .backup_dir = s->backup_dir, .jobs = s->jobs, .progress = j->progress};
    if (j->schema_from != NULL)
        return err_set(e, ERR_USAGE, "--schema-from is for a dump of data made by others");
    if (j->label != NULL) {
        err_set(e, ERR_USAGE, "--label is for a dump made by others");
        err_hint(e, "A backup keeps the label that it has.");
        return false;
    }
    log_info("importing the backup in %s", j->operand);
    if (!import_backup(j->ctx->arena, &spec, &imported, e))
        return err_wrap(e, "could not import");
    AUTO(json) struct json *doc = json_object();
    print_one(j, &imported, json_put_array(doc, "backups"));
    print_end(j, doc);
    return true;
}

/* --- a dump made by others ----------------------------------------------------------------------
 */

static void say(void *context, const char *doing)
{
    (void)context;
    log_info("%s", doing);
}

static bool print_taken(struct job *j, const struct backup_done *done, struct err *e)
{
    const char *const ids[] = {done->full_id, done->data_id};
    AUTO(json) struct json *doc = json_object();
    struct json *list = json_put_array(doc, "backups");
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct stored s;
        if (ids[i] == NULL)
            continue;
        if (!store_find(j->ctx->arena, j->ctx->settings->backup_dir, ids[i], &s, e))
            return false;
        print_one(j, &s, list);
    }
    print_end(j, doc);
    return true;
}

static bool take_over_dump(struct job *j, struct pg *maintenance, struct err *e)
{
    struct arena *a = j->ctx->arena;
    const struct settings *s = j->ctx->settings;
    struct backup_done done;
    const char *live = j->site.live.dbname;
    if (!restore_file_like(a, maintenance, live, live, &j->file.like, e))
        return false;
    const struct source source = restore_file_source(j->ctx, &j->site, &j->file);
    j->file.spec.schema = j->schema;
    const struct backup_spec backup = {
        .backup_dir = s->backup_dir,
        .pg_bin = s->pg_bin,
        .kinds = j->schema != NULL ? BACKUP_DATA : BACKUP_FULL | BACKUP_DATA,
        /* Which tables a dump of data has no rows of, and which it has not at all, are the same. */
        .only_filled = j->schema != NULL,
        .reason = "manual",
        .label =
            j->label != NULL ? j->label : arena_printf(a, "imported from %s", j->file.dump.name),
        .run = j->run,
        .jobs = s->jobs,
        .compression = s->compression,
        .split_size = s->split_size,
        .lock_timeout_ms = s->lock_timeout_ms,
        .progress = j->progress,
    };
    const struct take_over_spec spec = {.dump = &j->file.spec,
                                        .maintenance_database = s->maintenance_database,
                                        .like = source.like,
                                        .run = j->run,
                                        .backup = &backup,
                                        .say = say};
    return take_over(a, &spec, &done, e) && print_taken(j, &done, e);
}

static bool schema_of_live(struct job *j, struct pg *maintenance, struct err *e)
{
    struct arena *a = j->ctx->arena;
    const struct settings *s = j->ctx->settings;
    const struct connection live = connection_to(&j->site.server, j->site.live.dbname);
    if (!scratch_folder(a, s->state_dir, "import", &j->scratch, e))
        return false;
    j->schema = fs_join(a, j->scratch.path, "schema");
    const struct schema_dump_spec dump = {
        .from = &live,
        .pg_bin = s->pg_bin,
        .server_version = pg_server_version(maintenance),
        .format = "directory",
        .to = j->schema,
    };
    return schema_dump(a, &dump, e) ||
           err_wrap(e, "could not dump the schema of \"%s\"", live.dbname);
}

static bool schema_of_backup(struct job *j, struct err *e)
{
    struct stored s;
    if (!store_find(j->ctx->arena, j->ctx->settings->backup_dir, j->schema_from, &s, e) ||
        !store_verify_files(j->ctx->arena, &s, e))
        return false;
    j->schema = s.folder;
    return strcmp(s.manifest.kind, "full") == 0 ||
           err_set(e, ERR_USAGE, "backup \"%s\" has no schema: give the full one", s.id);
}

static bool find_schema(struct job *j, struct pg *maintenance, struct err *e)
{
    const struct foreign *f = &j->file.dump;
    if (j->schema_from == NULL)
        return true;
    if (f->kind == FOREIGN_SQL && !f->only_data) {
        err_set(e, ERR_USAGE, "%s makes its tables by itself", f->given);
        err_hint(e, "Import it without --schema-from.");
        return false;
    }
    return strcmp(j->schema_from, "live") == 0 ? schema_of_live(j, maintenance, e)
                                               : schema_of_backup(j, e);
}

static bool import_dump(struct job *j, struct err *e)
{
    j->run = arena_printf(j->ctx->arena, "%s_%s", clock_stamp(j->ctx->arena),
                          random_hex(j->ctx->arena, 4));
    j->file.data_only = j->schema_from != NULL;
    if (!cmd_site(j->ctx, &j->site, e) ||
        !restore_file_open(j->ctx, j->operand, false, &j->file, e))
        return false;
    AUTO(pg)
    struct pg *maintenance = site_open_maintenance(&j->site, j->ctx->settings, NULL, e);
    bool ok =
        maintenance != NULL && find_schema(j, maintenance, e) && take_over_dump(j, maintenance, e);
    foreign_close(&j->file.dump);
    scratch_remove(&j->scratch);
    return ok;
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct job j = {.ctx = ctx, .began_ms = clock_ms()};
    bool verbose = false, ours;
    const struct opt opts[] = {
        {"label", OPT_TEXT, &j.label, "TEXT",
         "of the backup that is made of a dump (default: imported from FILE)"},
        {"schema-from", OPT_TEXT, &j.schema_from, "live|ID",
         "of a dump of data alone: whose tables it is for, those of now or of a full backup"},
        {"verbose", OPT_FLAG, &verbose, NULL, "a line in the log for every table"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    j.operand = args.items[0];
    if (!import_is_backup(ctx->arena, j.operand, &ours, e))
        return false;
    struct progress_line line = progress_line_new(ctx->settings, verbose);
    j.progress = progress_line_of(&line);
    bool ok = ours ? import_ours(&j, e) : import_dump(&j, e);
    progress_line_end(&line);
    return ok;
}

const struct command cmd_import = {
    .name = "import",
    .args = "FILE|-",
    .summary = "take over a backup that was exported, or a dump made by others",
    .details =
        "FILE is a tar made by \"migsafe export --format tar\", or the folder of a backup:"
        " it is verified and\n"
        "keeps its id.  Or it is a dump made by others (.sql, .sql.gz, pg_dump -Fc, -Ft,"
        " -Fd; - is standard\n"
        "input): it is restored into a side database, of which a full and a data backup are"
        " taken, as of the\n"
        "configured database; then it can be listed, verified, previewed and restored like"
        " any other.\n"
        "\n"
        "Of a dump of data alone (pg_dump --data-only, with COPY or INSERTs) a data backup is"
        " made by the help of\n"
        "--schema-from: the tables of the live database, or of the full backup ID where they"
        " have changed since;\n"
        "\"migsafe restore\" then maps it to the tables as they are.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
