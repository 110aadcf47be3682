#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/random.h"
#include "cmd/backup_find.h"
#include "cmd/cmd.h"
#include "cmd/progress_line.h"
#include "cmd/restore_data.h"
#include "cmd/restore_end.h"
#include "cmd/restore_inplace.h"
#include "cmd/restore_print.h"
#include "core/fence/fence.h"
#include "core/progress_note.h"
#include "core/restore/drill.h"
#include "core/restore/into.h"
#include "core/restore/roles.h"
#include "core/restore/side.h"
#include "core/runlock.h"
#include "core/site.h"
#include "steps/earlier.h"
#include "steps/recover.h"

struct job {
    struct cmd_context *ctx;
    struct site site;
    struct stored backup;
    struct restore_file *file; /* instead of the backup, or NULL */
    struct restore_spec of_backup;
    struct source source;
    struct pg *maintenance;
    struct runlock *lock; /* NULL with into */
    struct journal *journal;
    struct run_report report;
    const char *run;
    const char *into;                 /* NULL: onto live */
    struct restore_data_options data; /* of rows alone */
    bool dry_run, yes, drop, no_owner, no_acl;
    struct restore_inplace *in_place; /* NULL: by a swap */
    bool restored_in_place;
    bool swap_begun;
    struct database_facts live; /* unless into */
    struct database_facts like; /* of a new database that leaves something of the backup's out */
    struct progress_line progress;
    struct progress_note told; /* the same in the journal */
};

static struct restore_what what(const struct job *j)
{
    return (struct restore_what){.backup = j->file == NULL ? &j->backup : NULL, .file = j->file};
}

static bool find_backup(struct job *j, const char *id, struct err *e)
{
    struct arena *a = j->ctx->arena;
    if (!store_find(a, j->ctx->settings->backup_dir, id, &j->backup, e))
        return false;
    log_info("checking the files of backup %s", id);
    return store_verify_files(a, &j->backup, e);
}

static bool tell_other_way(const struct job *j, struct err *e)
{
    if (e->kind == ERR_PREFLIGHT && j->file == NULL)
        err_detail(e, "%s",
                   arena_printf(j->ctx->arena, "%s%sWithout a swap: --in-place.", e->detail,
                                e->detail[0] ? " " : ""));
    return false;
}

static bool read_live(struct job *j, struct err *e)
{
    const char *live = j->site.live.dbname, *of = j->backup.manifest.database.name;
    bool accept = strcmp(j->ctx->settings->swap_with_slots, "accept") == 0;
    if (!database_read(j->ctx->arena, j->maintenance, live, &j->live, e)) {
        if (strcmp(e->sqlstate, "3D000") == 0)
            err_hint(e, "Add --into %s to restore it as a new database.", live);
        return false;
    }
    fence_take_out(j->ctx->arena, &j->live);
    if (j->file == NULL && strcmp(live, of) != 0) {
        err_set(e, ERR_USAGE, "backup \"%s\" is of database \"%s\", not of \"%s\"", j->backup.id,
                of, live);
        err_hint(e, "Add --into NAME to restore it into a new database.");
        return false;
    }
    return j->in_place != NULL || swap_possible(j->ctx->arena, j->maintenance, live, accept, e) ||
           tell_other_way(j, e);
}

/* A new database is of the role that makes it, has the default rights, and settings of no role that
 * the server lacks. */
static bool leave_out(struct job *j, struct err *e)
{
    struct arena *a = j->ctx->arena;
    j->like = j->backup.manifest.database;
    if (j->no_acl) {
        j->like.acl = NULL;
        j->like.role_settings = strlist_on(a);
    }
    if (j->no_owner)
        j->like.owner = pg_value(a, j->maintenance, "SELECT current_user", PG_NONE, e);
    j->source.like = &j->like;
    return j->like.owner != NULL;
}

/* The roles that it names must be there: told before anything is made. */
static bool find_archive(struct job *j, struct err *e)
{
    const struct settings *s = j->ctx->settings;
    struct toc toc;
    j->of_backup = (struct restore_spec){
        .server = &j->site.server,
        .backup = &j->backup,
        .pg_bin = s->pg_bin,
        .jobs = s->jobs,
        .no_owner = j->no_owner,
        .no_acl = j->no_acl,
    };
    j->source = source_of_backup(&j->of_backup);
    if (!leave_out(j, e))
        return false;
    bool readable = toc_read(j->ctx->arena, j->backup.folder, &toc, e);
    if (!readable && j->backup.manifest.not_stock == NULL)
        return false;
    *e = (struct err){0};
    return roles_exist(j->ctx->arena, j->maintenance,
                       &(struct roles_spec){.toc = readable ? &toc : NULL,
                                            .facts = &j->like,
                                            .no_owner = j->no_owner,
                                            .no_acl = j->no_acl},
                       e);
}

/* What fills the database, and what that shall be: a dump made by others tells neither owner nor
 * settings, so those of live now. */
static bool find_source(struct job *j, struct err *e)
{
    if (j->file == NULL)
        return find_archive(j, e);
    if (j->into == NULL)
        j->file->like = j->live;
    else if (!restore_file_like(j->ctx->arena, j->maintenance, j->site.live.dbname, j->into,
                                &j->file->like, e))
        return false;
    j->source = restore_file_source(j->ctx, &j->site, j->file);
    return true;
}

/* What can be known without touching live: rights and properties by the drill, rows by counting. */
static bool preview_live(struct job *j, struct restore_plan *plan, struct err *e)
{
    struct arena *a = j->ctx->arena;
    const struct settings *s = j->ctx->settings;
    const struct drill_spec spec = {
        .live = &j->site.live,
        .server = &j->site.server,
        .maintenance_database = s->maintenance_database,
        .pg_bin = s->pg_bin,
        .run = j->run,
        .scratch_dir = s->state_dir,
        .facts = j->source.like,
        .archive = j->file == NULL ? j->backup.folder : NULL,
        .accept_slots = strcmp(s->swap_with_slots, "accept") == 0,
    };
    if (j->in_place != NULL)
        plan->in_place = restore_inplace_line(a, &j->in_place->plan);
    else
        plan->kept = side_name(a, j->live.name, "kept", "YYYYMMDD_HHMMSS_xxxx");
    if (j->in_place == NULL && (!fs_mkdirs(a, s->state_dir, e) || !drill(a, &spec, e)))
        return false;
    if (j->file != NULL)
        return true;
    struct preview_table *tables;
    AUTO(pg) struct pg *db = site_open_live(&j->site, NULL, e);
    if (db == NULL || !restore_preview(a, db, &j->backup.manifest, &tables, &plan->table_count, e))
        return false;
    plan->tables = tables;
    return restore_preview_gone(a, db, &j->backup.manifest, &plan->gone, e);
}

static bool print_preview(struct job *j, struct err *e)
{
    struct restore_plan plan = {.what = what(j), .into = j->into};
    if (j->into == NULL) {
        plan.onto = j->live.name;
        if (!preview_live(j, &plan, e))
            return false;
    }
    restore_print_plan(j->ctx, &plan);
    return true;
}

static void log_restored(const struct job *j)
{
    if (j->file == NULL)
        log_info("restored, every row count as in the backup");
    else
        log_info("restored: %s, %s rows",
                 str_plural(j->ctx->arena, j->file->counts.tables, "table", "tables"),
                 str_count(j->ctx->arena, j->file->counts.rows));
}

/* The parts of a rollback as steps of the journal. */
static bool note(void *context, const char *part, const struct json *facts, struct err *e)
{
    struct job *j = context;
    static const struct {
        const char *part, *step, *event, *said;
    } parts[] = {
        {"create", "restore", "note", "creating the side database"},
        {"created", "restore", "note", "restoring into the side database"},
        {"restored", "restore", "done", NULL},
        {"swap", "swap", "begin", "swapping"},
        {"swapped", "swap", "done", "swapped"},
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strcmp(parts[i].part, part) != 0)
            continue;
        if (parts[i].said != NULL)
            log_info("%s", parts[i].said);
        else
            log_restored(j);
        if (strcmp(part, "swap") == 0 && !runlock_check(j->ctx->arena, j->lock, e))
            return false;
        j->swap_begun = j->swap_begun || strcmp(part, "swap") == 0;
        return journal_write(j->journal, parts[i].step, parts[i].event, json_copy(facts), NULL, e);
    }
    return true;
}

static bool restore_onto_live(struct job *j, struct rollback_result *result, struct err *e)
{
    const struct settings *s = j->ctx->settings;
    const struct lost_rows_wish lost = {
        .path = arena_printf(j->ctx->arena, "%s/" LOST_ROWS_FILE, journal_folder(j->journal)),
        .default_schema = j->site.live.schema,
    };
    const struct rollback_spec spec = {
        .server = &j->site.server,
        .maintenance_database = s->maintenance_database,
        .source = &j->source,
        .backup = j->file == NULL ? &j->backup : NULL,
        .lost = &lost,
        .live = j->live.name,
        .live_oid = j->live.oid,
        .run = j->run,
        .note = note,
        .context = j,
    };
    return rollback(j->ctx->arena, &spec, result, e);
}

static bool restore_into_new(struct job *j, struct err *e)
{
    const struct settings *s = j->ctx->settings;
    const struct into_spec spec = {
        .server = &j->site.server,
        .maintenance_database = s->maintenance_database,
        .source = &j->source,
        .name = j->into,
        .run = j->run,
        .drop = j->drop,
    };
    return restore_into(j->ctx->arena, &spec, e);
}

static bool write_begin(struct job *j, struct err *e)
{
    struct json *facts = json_object();
    json_put(facts, "database", j->into == NULL ? j->live.name : j->into);
    json_put(facts, "host", j->site.live.host);
    json_put(facts, "server", runlock_server(j->lock));
    json_put(facts, "backup", j->file == NULL ? j->backup.id : NULL);
    json_put(facts, "file", j->file == NULL ? NULL : j->file->dump.name);
    json_put(facts, "into", j->into);
    json_put(facts, "live_oid", j->into == NULL ? j->live.oid : NULL);
    return journal_write(j->journal, "run", "begin", facts, NULL, e);
}

/* What is known before anything is done: hooks are told of it. */
static void begin_report(struct job *j)
{
    j->report = report_new(j->ctx->arena, j->run, "restore");
    const struct manifest *m = &j->backup.manifest;
    struct report_backup b;
    if (j->file == NULL)
        b = (struct report_backup){.id = j->backup.id,
                                   .kind = m->kind,
                                   .path = j->backup.folder,
                                   .bytes = m->bytes,
                                   .rows = manifest_rows(m)};
    else
        b = (struct report_backup){
            .id = j->file->dump.name, .kind = "file", .bytes = j->file->dump.bytes};
    report_add_backup(&j->report, &b);
    j->report.database = j->into == NULL ? j->live.name : j->into;
    j->report.host = j->site.live.host;
}

static bool run_hooks(struct job *j, enum hook_point point, struct err *e)
{
    const struct hook_run hooks = {
        .settings = j->ctx->settings, .report = &j->report, .journal = j->journal};
    return j->into != NULL || hooks_run(j->ctx->arena, &hooks, point, e);
}

static bool note_commit(void *context, const char *transaction, struct err *e)
{
    struct job *j = context;
    struct json *facts = json_object();
    json_put(facts, "part", "in place");
    json_put(facts, "transaction", transaction);
    return journal_write(j->journal, "restore", "note", facts, NULL, e);
}

static bool restore_in_place(struct job *j, struct err *e)
{
    struct arena *a = j->ctx->arena;
    struct err late = {0};
    struct json *facts = json_object();
    if (!restore_inplace_save(j->ctx, &j->site, j->run, j->in_place, e))
        return false;
    json_put(facts, "emergency", j->in_place->saved.id);
    if (!journal_write(j->journal, "restore", "note", facts, NULL, e) ||
        !runlock_check(a, j->lock, e))
        return false;
    j->in_place->spec.application_name = arena_printf(a, "migsafe:%s", j->run);
    j->in_place->spec.committing = note_commit;
    j->in_place->spec.context = j;
    bool ok = inplace_restore(a, &j->in_place->spec, &j->restored_in_place, e);
    if (!j->restored_in_place)
        return false;
    log_restored(j);
    if (!database_apply(a, j->maintenance, j->live.name, &j->backup.manifest.database, &late)) {
        err_wrap(&late, "the rows are restored, not all properties of the database");
        restore_warn(j->ctx->arena, &j->report, &late);
    }
    return ok;
}

/* post-restore also when nothing was restored: what pre-restore stopped can be started again. */
static bool restore_between_hooks(struct job *j, struct rollback_result *result, struct err *e)
{
    struct err late = {0};
    bool ok = run_hooks(j, HOOK_PRE_RESTORE, e) &&
              (j->in_place != NULL ? restore_in_place(j, e) : restore_onto_live(j, result, e));
    if (result->swapped)
        report_set_rollback(&j->report, result);
    if (!run_hooks(j, HOOK_POST_RESTORE, &late))
        restore_warn(j->ctx->arena, &j->report, &late);
    return ok;
}

/* Without a verdict the next run or `recover` goes on: the server went away in the swap, so nobody
 * knows which of the two is live, or before it, and the side database is left. */
static bool is_open(const struct job *j, const struct rollback_result *result, const struct err *e)
{
    return result->side_left || (e->kind == ERR_CONNECT && (j->in_place != NULL || j->swap_begun));
}

static void conclude(struct job *j, bool restored, const struct err *error)
{
    const struct restore_end end = {.settings = j->ctx->settings,
                                    .journal = j->journal,
                                    .report = &j->report,
                                    .restored = restored,
                                    .no_hooks = j->into != NULL};
    restore_end(j->ctx->arena, &end, error);
}

static bool restore_telling(struct job *j, struct rollback_result *result, struct err *e)
{
    j->told = progress_note_to(j->journal, "restore", progress_line_of(&j->progress));
    j->of_backup.progress = progress_note_of(&j->told);
    bool ok = j->into != NULL ? restore_into_new(j, e) : restore_between_hooks(j, result, e);
    progress_release(&j->told.progress);
    return ok;
}

static bool carry_out(struct job *j, struct err *e)
{
    struct rollback_result result = {0};
    int64_t began = clock_ms();
    AUTO(journal)
    struct journal *journal = journal_open(j->ctx->settings->state_dir, j->run, "restore", e);
    j->journal = journal;
    begin_report(j);
    if (journal == NULL || !write_begin(j, e))
        return false;
    const struct restore_what from = what(j);
    log_info("restoring %s", restore_what_line(j->ctx->arena, &from));
    bool ok = restore_telling(j, &result, e);
    if (j->file != NULL)
        j->report.backups.items[0].rows = j->file->counts.rows;
    bool restored = ok || result.swapped || j->restored_in_place;
    j->ctx->acted = true;
    if (restored || !is_open(j, &result, e))
        conclude(j, restored, ok ? NULL : e);
    if (j->restored_in_place)
        restore_inplace_print(
            j->ctx, &from, j->in_place,
            &(struct restore_inplace_done){j->live.name, j->run, clock_ms() - began});
    else if (ok && j->into != NULL)
        restore_print_into(j->ctx, &from,
                           &(struct restore_new){j->into, j->run, clock_ms() - began, j->drop});
    else if (restored)
        restore_print_done(j->ctx, &from, j->live.name, j->run, &result);
    return ok;
}

/* Onto live: one run at a time, none that was left without an end, and live as it is now. */
static bool carry_out_locked(struct job *j, struct err *e)
{
    struct earlier earlier;
    const struct settings *s = j->ctx->settings;
    if (j->into != NULL)
        return carry_out(j, e);
    AUTO(runlock)
    struct runlock *lock = runlock_take(j->ctx->arena, &j->site, s, j->run, "restore", e);
    j->lock = lock;
    return lock != NULL && recover_first(j->ctx->arena, s, &j->site, lock, e) &&
           earlier_read(j->ctx->arena, s->state_dir,
                        &(struct earlier_of){j->live.name, runlock_server(lock)}, &earlier, e) &&
           earlier_refuse_broken(&earlier, e) && read_live(j, e) && find_source(j, e) &&
           carry_out(j, e);
}

static char *question(const struct job *j, const char *what_line)
{
    if (j->in_place != NULL)
        return restore_inplace_question(j->ctx->arena, j->live.name, what_line);
    return arena_printf(j->ctx->arena,
                        "What is now in database \"%s\" is replaced by %s. Its sessions"
                        " are ended; it is kept under another name.",
                        j->live.name, what_line);
}

static bool restore_checked(struct job *j, struct err *e)
{
    struct arena *a = j->ctx->arena;
    const struct restore_what from = what(j);
    if (j->into == NULL && !hooks_check(a, j->ctx->settings, e))
        return false;
    if (j->into != NULL ? !restore_into_check(a, j->maintenance, j->into, e) : !read_live(j, e))
        return false;
    if (j->into == NULL && j->file == NULL)
        backup_warn_elsewhere(a, j->maintenance, &j->backup);
    if (!find_source(j, e) || (j->in_place != NULL &&
                               !restore_inplace_look(j->ctx, &j->site, &j->backup, j->in_place, e)))
        return false;
    if (j->dry_run)
        return print_preview(j, e);
    return (j->into != NULL || cmd_confirm(j->ctx, j->yes, question(j, restore_what_line(a, &from)),
                                           j->live.name, e)) &&
           carry_out_locked(j, e);
}

static bool restore(struct job *j, struct err *e)
{
    AUTO(pg) struct pg *maintenance = site_open_maintenance(&j->site, j->ctx->settings, NULL, e);
    j->maintenance = maintenance;
    return maintenance != NULL && restore_checked(j, e);
}

static bool restore_file(struct job *j, const char *operand, struct err *e)
{
    bool asks = j->into == NULL && !j->yes && !j->dry_run;
    j->file = ARENA_NEW(j->ctx->arena, struct restore_file);
    if (!restore_file_open(j->ctx, operand, asks, j->file, e))
        return false;
    bool ok = restore(j, e);
    foreign_close(&j->file->dump);
    return ok;
}

static bool restore_backup(struct job *j, const char *id, struct err *e)
{
    bool data;
    if (!restore_data_asked(j->ctx->arena, id, &j->data, &data, e))
        return false;
    if (data && j->into != NULL)
        return err_set(e, ERR_USAGE, "--into needs a full backup: data has no tables of its own");
    if (data && j->in_place != NULL)
        return err_set(e, ERR_USAGE, "--in-place needs a full backup: data goes there anyway");
    j->data.dry_run = j->dry_run;
    j->data.yes = j->yes;
    if (data)
        return restore_data(j->ctx, &j->site, id, j->run, &j->data, e);
    return find_backup(j, id, e) && restore(j, e);
}

static bool restore_operand(struct job *j, const char *operand, struct err *e)
{
    const char *id;
    if (!restore_is_file(j->ctx->arena, j->ctx->settings->backup_dir, operand, &id))
        return restore_backup(j, id, e);
    if (j->no_owner || j->no_acl || j->in_place != NULL)
        return err_set(e, ERR_USAGE,
                       "--no-owner, --no-acl and --in-place are for backups of migsafe");
    return restore_file(j, operand, e);
}

static bool check_flags(const struct job *j, struct err *e)
{
    if (j->drop && j->into == NULL)
        return err_set(e, ERR_USAGE, "--drop needs --into: it drops the new database again");
    if (j->in_place != NULL && j->into != NULL)
        return err_set(e, ERR_USAGE, "--in-place and --into exclude each other");
    if (j->in_place != NULL && j->data.data_only)
        return err_set(e, ERR_USAGE, "--in-place restores the schema too: without --data-only");
    return (!j->no_owner && !j->no_acl) || j->into != NULL ||
           err_set(e, ERR_USAGE, "--no-owner and --no-acl need --into: live keeps both");
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct job j = {.ctx = ctx, .data = restore_data_options(ctx->arena)};
    bool verbose = false, in_place = false;
    const struct opt opts[] = {
        {"into", OPT_TEXT, &j.into, "NAME", "restore into a new database, touch nothing else"},
        {"drop", OPT_FLAG, &j.drop, NULL, "with --into: a trial, drop the new database again"},
        {"dry-run", OPT_FLAG, &j.dry_run, NULL,
         "try rights on empty databases, count rows, and say what would happen"},
        {"no-owner", OPT_FLAG, &j.no_owner, NULL, "with --into: all is of the role that restores"},
        {"no-acl", OPT_FLAG, &j.no_acl, NULL, "with --into: leave out who may"},
        {"in-place", OPT_FLAG, &in_place, NULL,
         "where no swap is possible: within the live database, in one transaction"},
        {"verbose", OPT_FLAG, &verbose, NULL, "a line in the log for every table"},
        {"yes", OPT_FLAG, &j.yes, NULL, "do not ask"},
        {"data-only", OPT_FLAG, &j.data.data_only, NULL,
         "of a full backup too: only its rows, into the tables as they are now"},
        {"replace", OPT_FLAG, &j.data.replace, NULL, "data: delete what is in the tables first"},
        {"merge", OPT_TEXT, &j.data.merge, "skip|update",
         "data: keep rows that are there, or overwrite those with the same primary key"},
        {"map", OPT_LIST, &j.data.maps, "OLD=NEW",
         "data: what was renamed, table=table or table.column=column; may be repeated"},
        {"default", OPT_LIST, &j.data.defaults, "TABLE.COLUMN=SQL",
         "data: what stands in a column that the backup has no value for; may be repeated"},
        {"accept-loss", OPT_FLAG, &j.data.accept_loss, NULL,
         "data: go on although values of the backup will be nowhere"},
        {"triggers", OPT_FLAG, &j.data.triggers, NULL, "data: let the tables' triggers fire"},
        {"other-database", OPT_FLAG, &j.data.other_database, NULL,
         "data: the backup may be of a database with another name"},
        {"side", OPT_FLAG, &j.data.side, NULL,
         "data: large; into a copy of the database, which is swapped in then"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    struct restore_inplace inplace = {.spec = {.live = NULL}};
    j.in_place = in_place ? &inplace : NULL;
    if (!check_flags(&j, e))
        return false;
    j.run = arena_printf(ctx->arena, "%s_%s", clock_stamp(ctx->arena), random_hex(ctx->arena, 4));
    j.progress = progress_line_new(ctx->settings, verbose);
    inplace.spec.progress = progress_line_of(&j.progress);
    j.data.progress = progress_line_of(&j.progress);
    bool ok = cmd_site(ctx, &j.site, e) && restore_operand(&j, args.items[0], e);
    progress_line_end(&j.progress);
    return ok;
}

const struct command cmd_restore = {
    .name = "restore",
    .args = "ID|FILE|-",
    .summary = "restore a backup or a dump beside the database, prove it, and swap it in",
    .details =
        "The full backup ID is restored into a side database and compared with its manifest;"
        " only then\n"
        "does it take the name of the live database, in one transaction of some"
        " milliseconds.  The\n"
        "database that was there is kept under another name, closed, until someone drops"
        " it.\n"
        "\n"
        "Where a swap is impossible --in-place drops what the backup's schemas hold and makes it"
        " again in one\n"
        "transaction, after an emergency backup; it says what is in the way where it cannot.\n"
        "\n"
        "FILE is a dump made by others: plain SQL of pg_dump, also gzipped, or an archive"
        " (-Fc, -Ft, -Fd);\n"
        "- is standard input.  It is read before anything is done: what would reach beyond"
        " its database\n"
        "is refused.  Owner and settings of the database stay those of the live one.\n"
        "\n"
        "A data backup ID, or a full one with --data-only: its rows go into the live"
        " database, whose schema\n"
        "may have changed since, in one transaction.  What maps, what gets defaults and what"
        " would be lost\n"
        "is shown first (--dry-run: only that).  Tables must be empty, or --replace, or"
        " --merge.  --side\n"
        "does it in a copy of the database, which is swapped in: live is not locked meanwhile, and"
        " kept.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
