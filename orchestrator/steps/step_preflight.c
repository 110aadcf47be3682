/*
 * Everything that can refuse a deploy is found out here, before production is
 * touched: the tools, the rights, the disk, and that the way back works.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/stop.h"
#include "core/hook/hook.h"
#include "core/restore/drill.h"
#include "core/restore/inplace_possible.h"
#include "core/restore/side.h"
#include "sql/queries.h"
#include "steps/fencing.h"

enum { LEAST_SERVER = 120000, KEPT_WARNING = 3, PATIENCE_MS = 3000, LOOK_AGAIN_MS = 250 };

static bool check_url(const struct run *run, struct err *e)
{
    const struct connection *live = &run->site.live;
    if (!live->pooled)
        return true;
    err_set(e, ERR_PREFLIGHT, "the database URL goes through a pooler (%s)", live->pooled_why);
    err_detail(e, "Locks, snapshots and pg_dump need a session of their own on the server.");
    err_hint(e, "Give the direct URL: setting \"direct-url\" or DIRECT_URL.");
    return false;
}

static bool check_server(struct run *run, struct pg *db, struct err *e)
{
    const char *tool, *standby = pg_value(run->arena, db, "SELECT pg_is_in_recovery()", PG_NONE, e);
    if (standby == NULL)
        return false;
    if (standby[0] == 't')
        return err_set(e, ERR_PREFLIGHT, "the server is a standby: nothing can be migrated there");
    int version = pg_server_version(db);
    if (version < LEAST_SERVER)
        return err_set(e, ERR_PREFLIGHT, "PostgreSQL %d is too old: 12 or newer is needed",
                       version / 10000);
    const char *pg_bin = run->settings->pg_bin;
    return connection_tool(run->arena, pg_bin, "pg_dump", version, &tool, e) &&
           connection_tool(run->arena, pg_bin, "pg_restore", version, &tool, e);
}

/* What Prisma itself would stumble over at once: said before a backup is taken. */
static bool check_state(const struct run *run, struct err *e)
{
    const struct prisma_state *state = &run->state;
    if (run->project.url_is_literal) {
        err_set(e, ERR_PREFLIGHT, "the project's URL is written out in its schema or config");
        err_hint(e, "Let it be read from a variable, as in env(\"DATABASE_URL\"): migsafe gives "
                    "Prisma a URL of its own.");
        return false;
    }
    if (state->outlook != OUTLOOK_BLOCKED && state->outlook != OUTLOOK_UNCLEAR)
        return true;
    err_set(e, state->outlook == OUTLOOK_UNCLEAR ? ERR_PREFLIGHT : ERR_UNSAFE, "%s%s%s%s",
            state->summary, state->code ? " (" : "", state->code ? state->code : "",
            state->code ? ")" : "");
    if (str_same(state->code, "P3009"))
        err_hint(e, "See what of it is in the database, then run \"prisma migrate resolve "
                    "--rolled-back\" or \"--applied\" for it, or restore a backup.");
    return false;
}

/* The gate says the same with file and advice. */
static bool warn_history(struct run *run)
{
    const struct history *h = &run->history;
    if (strcmp(run->settings->gate, "off") != 0)
        return true;
    for (size_t i = 0; i < h->edited.count; i++)
        run_warn(run, "migration \"%s\" was edited after it was applied", h->edited.items[i]);
    for (size_t i = 0; i < h->missing.count; i++)
        run_warn(run, "migration \"%s\" is applied, but its folder is missing",
                 h->missing.items[i]);
    for (size_t i = 0; i < h->out_of_order.count; i++)
        run_warn(run, "migration \"%s\" is older than the newest applied one",
                 h->out_of_order.items[i]);
    return true;
}

/* The dump is smaller than the database, the side database about as large; where the server's disk
 * is not ours to see, only the backup folder can be judged. */
static bool check_disk(struct run *run, struct err *e)
{
    int64_t free_bytes;
    const char *dir = run->settings->backup_dir;
    if (!fs_mkdirs(run->arena, dir, e) || !fs_free_bytes(dir, &free_bytes, e))
        return false;
    log_info("database: %s; free in the backup folder: %s", str_bytes(run->arena, run->facts.bytes),
             str_bytes(run->arena, free_bytes));
    if (free_bytes >= run->facts.bytes / 2)
        return true;
    err_set(e, ERR_PREFLIGHT, "the backup folder has %s free, the database has %s",
            str_bytes(run->arena, free_bytes), str_bytes(run->arena, run->facts.bytes));
    err_hint(e, "Make room below \"%s\", or name another folder by \"backup-dir\".", dir);
    return false;
}

static bool warn_activity(struct run *run, struct pg *db, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(run->arena, db, sql_preflight_activity, PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        run_warn(run, "%s", pg_cell(&rows, i, "warning"));
    return true;
}

static bool warn_kept(struct run *run, struct pg *maintenance, struct err *e)
{
    struct side_database *items;
    size_t count, kept = 0;
    if (!side_list(run->arena, maintenance, run->site.live.dbname, &items, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        kept += strcmp(items[i].purpose, "kept") == 0;
    if (kept >= KEPT_WARNING)
        run_warn(run,
                 "%zu kept databases of \"%s\" take up room; \"migsafe prune --kept\" drops "
                 "them",
                 kept, run->site.live.dbname);
    return true;
}

/* A session that may not be ended and is gone a moment later (monitoring, a person's psql) is no
 * reason to refuse: looked at for a few seconds. */
static bool swap_will_be_possible(struct run *run, struct pg *maintenance, bool accept_slots,
                                  struct err *e)
{
    struct deadline limit = deadline_in(PATIENCE_MS);
    while (!swap_possible(run->arena, maintenance, run->site.live.dbname, accept_slots, e)) {
        struct err stopped = {0};
        if (e->kind != ERR_PREFLIGHT || deadline_passed(&limit))
            return false;
        if (!stop_sleep_ms(LOOK_AGAIN_MS, &stopped)) {
            *e = stopped;
            return false;
        }
        *e = (struct err){0};
    }
    return true;
}

/* Where `recover` looks for what a drill that was killed has left. */
static const char *drill_folder(const struct run *run)
{
    return fs_join(run->arena, journal_folder(run->journal), "drill");
}

static bool swap_is_possible(struct run *run, struct pg *maintenance, struct err *e)
{
    const struct settings *s = run->settings;
    bool accept_slots = strcmp(s->swap_with_slots, "accept") == 0;
    const struct drill_spec spec = {
        .live = &run->site.live,
        .server = &run->site.server,
        .maintenance_database = s->maintenance_database,
        .pg_bin = s->pg_bin,
        .run = run->id,
        .scratch_dir = drill_folder(run),
        .facts = &run->facts,
        .accept_slots = accept_slots,
    };
    return swap_will_be_possible(run, maintenance, accept_slots, e) && drill(run->arena, &spec, e);
}

/* Managed hosts give no right to make databases, or keep sessions that cannot be ended. */
static bool in_place_is_possible(struct run *run, const struct err *no_swap, struct err *e)
{
    struct inplace_plan plan;
    const struct connection live = connection_to(&run->site.server, run->site.live.dbname);
    const struct inplace_possible_spec spec = {
        .dumps = &run->site.live,
        .restores = &live,
        .pg_bin = run->settings->pg_bin,
        .scratch_dir = drill_folder(run),
        .facts = &run->facts,
    };
    if (!inplace_possible(run->arena, &spec, &plan, e))
        return false;
    run->in_place = true;
    run_warn(run,
             "no swap is possible: %s; the way back is one transaction in the database itself, with"
             " %s of %s locks, for which its users wait",
             no_swap->message, str_count(run->arena, plan.locks),
             str_count(run->arena, plan.lock_table));
    return true;
}

static bool find_way_back(struct run *run, struct pg *maintenance, struct err *e)
{
    struct err not_there = {0};
    if (swap_is_possible(run, maintenance, e))
        return true;
    bool may = e->kind == ERR_PREFLIGHT && strcmp(run->settings->way_back, "auto") == 0;
    if (may && in_place_is_possible(run, e, &not_there)) {
        *e = (struct err){0};
        return true;
    }
    if (not_there.kind != ERR_NONE)
        err_detail(e, "%s",
                   arena_printf(run->arena, "%s%sIn place neither: %s.", e->detail,
                                e->detail[0] ? " " : "", not_there.message));
    return err_wrap(e, "there would be no way back");
}

static bool check_way_back(struct run *run, struct pg *maintenance, struct err *e)
{
    struct err late = {0};
    bool ok = find_way_back(run, maintenance, e);
    if (!fs_remove_tree(run->arena, drill_folder(run), &late))
        run_warn_err(run, &late);
    return ok;
}

static bool take_baseline(struct run *run, struct pg *db, struct err *e)
{
    struct health_context context = {.db = db, .history = &run->history, .deploy = true};
    if (!health_check(run->arena, &context, &run->baseline, e))
        return err_wrap(e, "could not check the database's health");
    run->report.baseline = run->baseline;
    if (run->baseline.count == 0)
        return true;
    log_info("health before the deploy: %s; what is there now does not count later",
             str_plural(run->arena, (int64_t)run->baseline.count, "finding", "findings"));
    struct json *facts = json_object();
    findings_json(&run->baseline, json_put_array(facts, "baseline"));
    return journal_write(run->journal, "preflight", "note", facts, NULL, e);
}

static void read_effects(struct run *run)
{
    size_t count = run->history.pending.count;
    run->effects = arena_array(run->arena, count + 1, sizeof(*run->effects));
    for (size_t i = 0; i < count; i++) {
        const struct migration *m = run_pending(run, i);
        run->effects[i] = effects_of(run->arena, m->sql == NULL ? "" : m->sql);
    }
}

static bool apply(struct run *run, struct err *e)
{
    if (!hooks_check(run->arena, run->settings, e) || !check_url(run, e) || !check_state(run, e) ||
        !warn_history(run) ||
        !prisma_project_cli(run->arena, run->settings->prisma, &run->project, e))
        return false;
    log_info("prisma %s in \"%s\"", run->project.version, run->project.root);
    AUTO(pg) struct pg *db = site_open_live(&run->site, NULL, e);
    if (db == NULL || !check_server(run, db, e) ||
        !database_read(run->arena, db, run->site.live.dbname, &run->facts, e))
        return false;
    fence_take_out(run->arena, &run->facts);
    if (!check_disk(run, e) || !take_baseline(run, db, e) || !warn_activity(run, db, e) ||
        !fencing_look_ahead(run, db, e))
        return false;
    read_effects(run);
    AUTO(pg) struct pg *maintenance = site_open_maintenance(&run->site, run->settings, NULL, e);
    return maintenance != NULL && warn_kept(run, maintenance, e) &&
           check_way_back(run, maintenance, e);
}

const struct step step_preflight = {
    .name = "preflight",
    .what = "see whether the deploy and its way back can work here",
    .apply = apply,
};
