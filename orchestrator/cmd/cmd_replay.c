#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/random.h"
#include "cmd/cmd.h"
#include "cmd/restore_end.h"
#include "core/journal.h"
#include "core/restore/replay.h"
#include "core/runlock.h"
#include "steps/earlier.h"
#include "steps/recover.h"

struct job {
    struct cmd_context *ctx;
    struct site site;
    struct connection to; /* live, as the role that works beside it: it may more */
    const char *of;       /* the run that lost the writes */
    const char *file, *run;
    bool dry_run, yes;
    struct replay_spec spec;
    struct replay *replay;
    struct replay_result preview, done;
    struct journal *journal;
    struct runlock *lock;
    struct run_report report;
};

/* The run must have been of this database. */
static bool find_file(struct job *j, struct err *e)
{
    struct arena *a = j->ctx->arena;
    struct run_report of;
    struct strlist runs;
    struct err unread = {0};
    const char *state_dir = j->ctx->settings->state_dir;
    if (!journal_list(a, state_dir, &runs, e))
        return false;
    if (!strlist_has(&runs, j->of))
        return err_set(e, ERR_NOT_FOUND, "no such run in \"%s\": %s", state_dir, j->of);
    j->file = arena_printf(a, "%s/runs/%s/" LOST_ROWS_FILE, state_dir, j->of);
    if (!fs_exists(j->file))
        return err_set(e, ERR_NOT_FOUND, "run %s has no lost writes: there is no file \"%s\"",
                       j->of, j->file);
    if (!report_read(a, state_dir, j->of, &of, &unread) || of.database == NULL ||
        strcmp(of.database, j->site.live.dbname) == 0)
        return true;
    return err_set(e, ERR_USAGE, "run %s was of database \"%s\", not of \"%s\"", j->of, of.database,
                   j->site.live.dbname);
}

/* --- what is shown --------------------------------------------------------------------------- */

static const char *const kinds[] = {"inserted", "updated", "deleted"};

static void print_table(struct job *j, const struct replay_table *t, const char *did)
{
    struct arena *a = j->ctx->arena;
    struct str s = str_on(a);
    int64_t there = 0, conflicts = 0;
    bool left_out = t->of_migration && !j->spec.include_migrated;
    for (int k = 0; k < REPLAY_KINDS; k++) {
        int64_t n = left_out ? t->rows[k] : t->done[k];
        there += t->there[k];
        conflicts += t->rows[k] - t->there[k] - t->done[k];
        if (n > 0)
            str_item(&s, ", ", arena_printf(a, "%s %s", str_count(a, n), kinds[k]));
    }
    if (left_out) {
        fprintf(j->ctx->out, "  %s: %s; maybe by the migration itself: left out\n", t->table,
                s.text);
        return;
    }
    fprintf(j->ctx->out, "  %s: %s%s", t->table, s.length == 0 ? "nothing" : s.text,
            s.length == 0 ? "" : did);
    if (there > 0)
        fprintf(j->ctx->out, "; %s there already", str_count(a, there));
    if (conflicts > 0)
        fprintf(j->ctx->out, "; CONFLICT: %s changed since, left as they are",
                str_plural(a, conflicts, "row", "rows"));
    fprintf(j->ctx->out, "\n");
}

static void print_tables(struct job *j, const struct replay_result *r, const char *did)
{
    for (size_t i = 0; i < r->count; i++)
        print_table(j, &r->tables[i], did);
    if (r->left_out > 0)
        fprintf(j->ctx->out,
                "With --include-migrated also the %s that may be the migration's own.\n",
                str_plural(j->ctx->arena, r->left_out, "row", "rows"));
}

static void put_kinds(struct json *to, const char *name, const int64_t counts[REPLAY_KINDS])
{
    struct json *j = json_put_object(to, name);
    for (int k = 0; k < REPLAY_KINDS; k++)
        json_put_int(j, kinds[k], counts[k]);
}

static struct json *result_json(const struct job *j, const struct replay_result *r)
{
    struct json *to = json_object();
    json_put(to, "run", j->of);
    json_put(to, "file", j->file);
    json_put(to, "database", j->site.live.dbname);
    json_put_bool(to, "include_migrated", j->spec.include_migrated);
    struct json *tables = json_put_array(to, "tables");
    for (size_t i = 0; i < r->count; i++) {
        struct json *t = json_push_object(tables);
        json_put(t, "table", r->tables[i].table);
        json_put_bool(t, "of_migration", r->tables[i].of_migration);
        put_kinds(t, "rows", r->tables[i].rows);
        put_kinds(t, "there", r->tables[i].there);
        put_kinds(t, "done", r->tables[i].done);
    }
    json_put_int(to, "rows", r->rows);
    json_put_int(to, "there", r->there);
    json_put_int(to, "done", r->done);
    json_put_int(to, "conflicts", r->conflicts);
    json_put_int(to, "left_out", r->left_out);
    return to;
}

static void show_preview(struct job *j)
{
    if (!j->ctx->json) {
        fprintf(j->ctx->out, "lost writes of run %s, into database \"%s\":\n", j->of,
                j->site.live.dbname);
        print_tables(j, &j->preview, "");
        fflush(j->ctx->out);
    } else if (j->dry_run) {
        struct json *document = result_json(j, &j->preview);
        json_put_bool(document, "dry_run", true);
        cmd_print(j->ctx, document);
    }
}

static void show_done(struct job *j)
{
    if (!j->ctx->json) {
        fprintf(j->ctx->out, "done, in run %s:\n", j->run);
        print_tables(j, &j->done, "");
        return;
    }
    struct json *document = result_json(j, &j->done);
    json_put(document, "replay_run", j->run);
    cmd_print(j->ctx, document);
}

/* --- what is done ---------------------------------------------------------------------------- */

static bool write_begin(struct job *j, struct err *e)
{
    struct json *facts = json_object();
    json_put(facts, "database", j->site.live.dbname);
    json_put(facts, "host", j->site.live.host);
    json_put(facts, "server", runlock_server(j->lock));
    json_put(facts, "of", j->of);
    json_put(facts, "file", j->file);
    json_put_bool(facts, "include_migrated", j->spec.include_migrated);
    return journal_write(j->journal, "run", "begin", facts, NULL, e) &&
           journal_write(j->journal, "replay", "begin", NULL, NULL, e);
}

static bool committing(void *context, const char *transaction, struct err *e)
{
    struct job *j = context;
    struct json *facts = json_object();
    json_put(facts, "part", "in place");
    json_put(facts, "transaction", transaction);
    return runlock_check(j->ctx->arena, j->lock, e) &&
           journal_write(j->journal, "replay", "note", facts, NULL, e);
}

static void conclude(struct job *j, const struct err *error)
{
    struct err late = {0};
    struct arena *a = j->ctx->arena;
    const struct restore_end end = {.settings = j->ctx->settings,
                                    .journal = j->journal,
                                    .report = &j->report,
                                    .restored = error == NULL,
                                    .no_hooks = true};
    struct json *facts = error == NULL ? result_json(j, &j->done) : NULL;
    if (!journal_write(j->journal, "replay", error == NULL ? "done" : "failed", facts, error,
                       &late))
        restore_warn(a, &j->report, &late);
    if (j->done.conflicts > 0)
        strlist_printf(&j->report.warnings, "%s of run %s not brought back: changed since",
                       str_plural(a, j->done.conflicts, "row", "rows"), j->of);
    restore_end(a, &end, error);
}

static bool carry_out(struct job *j, struct err *e)
{
    const struct settings *s = j->ctx->settings;
    AUTO(journal) struct journal *journal = journal_open(s->state_dir, j->run, "replay", e);
    j->journal = journal;
    j->report = report_new(j->ctx->arena, j->run, "replay");
    j->report.database = j->site.live.dbname;
    j->report.host = j->site.live.host;
    if (journal == NULL || !write_begin(j, e))
        return false;
    log_info("bringing back the lost writes of run %s", j->of);
    bool ok = replay_run(j->replay, true, &j->done, e);
    conclude(j, ok ? NULL : e);
    if (ok)
        show_done(j);
    return ok;
}

static bool carry_out_locked(struct job *j, struct err *e)
{
    struct earlier earlier;
    struct arena *a = j->ctx->arena;
    const struct settings *s = j->ctx->settings;
    AUTO(runlock) struct runlock *lock = runlock_take(a, &j->site, s, j->run, "replay", e);
    j->lock = lock;
    return lock != NULL && recover_first(a, s, &j->site, lock, e) &&
           earlier_read(a, s->state_dir,
                        &(struct earlier_of){j->site.live.dbname, runlock_server(lock)}, &earlier,
                        e) &&
           earlier_refuse_broken(&earlier, e) && runlock_check(a, lock, e) && carry_out(j, e);
}

static const char *question(const struct job *j)
{
    return arena_printf(j->ctx->arena, "%s of database \"%s\" are changed as shown.",
                        str_plural(j->ctx->arena, j->preview.done, "row", "rows"),
                        j->site.live.dbname);
}

static bool replay_file(struct job *j, struct err *e)
{
    const struct settings *s = j->ctx->settings;
    j->to = connection_to(&j->site.server, j->site.live.dbname);
    j->spec.to = &j->to;
    j->spec.path = j->file;
    j->spec.lock_timeout_ms = s->lock_timeout_ms;
    j->spec.committing = committing;
    j->spec.context = j;
    AUTO(replay) struct replay *replay = replay_open(j->ctx->arena, &j->spec, e);
    j->replay = replay;
    if (replay == NULL || !replay_run(replay, false, &j->preview, e))
        return false;
    show_preview(j);
    return j->dry_run || (cmd_confirm(j->ctx, j->yes, question(j), j->site.live.dbname, e) &&
                          carry_out_locked(j, e));
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct job j = {.ctx = ctx};
    const struct opt opts[] = {
        {"dry-run", OPT_FLAG, &j.dry_run, NULL,
         "only show what would be done, by a trial that is rolled back"},
        {"include-migrated", OPT_FLAG, &j.spec.include_migrated, NULL,
         "also rows that the failed migration may have written itself"},
        {"yes", OPT_FLAG, &j.yes, NULL, "do not ask"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e) || !cmd_site(ctx, &j.site, e))
        return false;
    j.of = args.items[0];
    j.run = arena_printf(ctx->arena, "%s_%s", clock_stamp(ctx->arena), random_hex(ctx->arena, 4));
    return find_file(&j, e) && replay_file(&j, e);
}

const struct command cmd_replay = {
    .name = "replay",
    .args = "RUN",
    .summary = "bring back what others wrote between a run's backup and its rollback",
    .details = "A rollback puts the backup in the place of the live database; what others wrote in"
               " between is in\n"
               "lost-writes.sql.gz in the folder of the run RUN.  It is shown what would be done,"
               " then done in one\n"
               "transaction: rows are inserted, updated and deleted where live still has them as"
               " the backup did.\n"
               "What has been changed since is left as it is and counted as a conflict.  Doing it"
               " twice does no harm.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
