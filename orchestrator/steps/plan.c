#include "steps/plan.h"

#include "base/log.h"
#include "core/restore/swap.h"
#include "steps/deploy.h"
#include "steps/gating.h"
#include "steps/rehearsing.h"

static void add_migrations(struct arena *a, struct json *plan, const struct history *history,
                           const struct migration_list *folder)
{
    struct json *list = json_put_array(plan, "migrations");
    for (size_t i = 0; i < history->pending.count; i++) {
        const struct migration *m = migration_find(folder, history->pending.items[i]);
        struct effects f = effects_of(a, m->sql == NULL ? "" : m->sql);
        struct json *item = json_push_object(list);
        json_put(item, "name", m->name);
        json_put(item, "checksum", m->checksum);
        json_put_int(item, "statements", (int64_t)f.statements);
        struct json *touches = json_put_array(item, "touches");
        for (size_t t = 0; t < f.touched.count; t++)
            json_push(touches, f.touched.items[t]);
        json_put_bool(item, "touches_anything", f.anything);
    }
}

static void add_steps(struct json *plan, const struct settings *s)
{
    struct json *list = json_put_array(plan, "steps");
    size_t count;
    const struct step *const *steps = deploy_steps(&count);
    for (size_t i = 0; i < count; i++) {
        struct json *item = json_push_object(list);
        json_put(item, "name", steps[i]->name);
        json_put(item, "what", steps[i]->what);
    }
    json_put_int(plan, "attempts", s->attempts);
}

/* As preflight judges, but that nothing is tried: that takes databases to try it on. */
static void add_way_back(struct arena *a, struct json *plan, const struct settings *s,
                         const struct site *site, struct pg *maintenance, struct err *no_session)
{
    struct err why = *no_session;
    const char *way = "the backup is restored beside the database, compared, and swapped in; the "
                      "replaced database is kept";
    bool accept_slots = strcmp(s->swap_with_slots, "accept") == 0;
    if (maintenance == NULL ||
        !swap_possible(a, maintenance, site->live.dbname, accept_slots, &why)) {
        bool in_place = why.kind == ERR_PREFLIGHT && strcmp(s->way_back, "auto") == 0;
        way = arena_printf(a, "no swap is possible: %s%s", why.message,
                           in_place ? "; the backup is restored in the database itself, in one "
                                      "transaction, where preflight finds that possible"
                                    : "");
        if (!in_place)
            log_warning("a deploy would be refused: %s", why.message);
    }
    json_put(plan, "way_back", way);
}

/* What preflight refuses and can be seen without trying anything. */
static void warn_refused(struct arena *a, const struct settings *s, const struct site *site,
                         struct prisma_project *project, struct pg *db)
{
    const char *tool;
    struct err no_cli = {0}, no_dump = {0}, no_restore = {0};
    if (site->live.pooled)
        log_warning("a deploy would be refused: the database URL goes through a pooler (%s)",
                    site->live.pooled_why);
    if (!prisma_project_cli(a, s->prisma, project, &no_cli))
        log_warning("a deploy would be refused: %s", no_cli.message);
    if (!connection_tool(a, s->pg_bin, "pg_dump", pg_server_version(db), &tool, &no_dump))
        log_warning("a deploy would be refused: %s", no_dump.message);
    if (!connection_tool(a, s->pg_bin, "pg_restore", pg_server_version(db), &tool, &no_restore))
        log_warning("a deploy would be refused: %s", no_restore.message);
}

static bool add_database(struct arena *a, struct json *plan, struct pg *db,
                         const struct history *history, struct err *e)
{
    struct database_facts facts;
    struct findings found = findings_on(a);
    struct health_context health = {.db = db, .history = history};
    if (!database_read(a, db, json_str(plan, "database", ""), &facts, e) ||
        !health_check(a, &health, &found, e))
        return false;
    json_put_int(plan, "bytes", facts.bytes);
    findings_json(&found, json_put_array(plan, "findings"));
    return true;
}

/* A dry run ends with 0 whatever is found: it is a report. */
static bool add_gate(struct json *plan, const struct gating *g, struct err *e)
{
    struct json *list = json_put_array(plan, "gate");
    struct gate_result result;
    if (strcmp(g->settings->gate, "off") == 0)
        return true;
    if (!gate_pending(g, &result, e))
        return err_wrap(e, "the gate could not look at the pending migrations");
    findings_json(&result.findings, list);
    return true;
}

static void add_rehearsal(struct json *plan, const struct gating *g, struct pg *db)
{
    struct findings gate = findings_on(g->arena);
    findings_add_json(&gate, json_find(plan, "gate"));
    const struct rehearse_look look = {.settings = g->settings,
                                       .site = g->site,
                                       .folder = &g->state->folder,
                                       .pending = &g->state->history.pending,
                                       .gate = &gate,
                                       .bytes = json_int(plan, "bytes", -1),
                                       .limit_ms = g->settings->rehearse_limit_ms,
                                       .limit_name = "rehearse-limit"};
    struct rehearsal_outlook o = rehearse_outlook(g->arena, &look, db);
    rehearsal_outlook_json(&o, json_put_object(plan, "rehearsal"));
    json_put(json_find(plan, "rehearsal"), "summary", rehearsal_outlook_line(g->arena, &o));
}

struct json *deploy_plan(struct arena *a, const struct settings *s, struct err *e)
{
    struct site site;
    struct prisma_project project;
    struct prisma_state state;
    struct err no_session = {0};
    if (!site_read(a, s, &site, e) || !prisma_project_find(a, s->project, s->schema, &project, e))
        return NULL;
    AUTO(pg) struct pg *db = site_open_live(&site, NULL, e);
    if (db == NULL || !prisma_state_read(a, &project, &site.live, db, &state, e))
        return NULL;
    warn_refused(a, s, &site, &project, db);
    AUTO(pg) struct pg *maintenance = site_open_maintenance(&site, s, NULL, &no_session);

    AUTO(json) struct json *plan = json_object();
    json_put(plan, "database", site.live.dbname);
    json_put(plan, "host", site.live.host);
    add_migrations(a, plan, &state.history, &state.folder);
    const struct gating gating = {
        .arena = a, .settings = s, .site = &site, .project = &project, .state = &state};
    bool gate_off = strcmp(s->gate, "off") == 0;
    /* The gate says what the ledger's checks would. */
    if (!add_database(a, plan, db, gate_off ? &state.history : NULL, e) ||
        !add_gate(plan, &gating, e))
        return NULL;
    add_rehearsal(plan, &gating, maintenance == NULL ? db : maintenance);
    add_steps(plan, s);
    add_way_back(a, plan, s, &site, maintenance, &no_session);
    return TAKE(plan);
}

void deploy_plan_print(struct arena *a, const struct json *plan, FILE *to)
{
    const struct json *migrations = json_find(plan, "migrations"),
                      *steps = json_find(plan, "steps");
    const struct json *findings = json_find(plan, "findings");
    fprintf(to, "database %s at %s, %s\n", json_str(plan, "database", ""),
            json_str(plan, "host", ""), str_bytes(a, json_int(plan, "bytes", 0)));
    if (json_count(migrations) == 0)
        fprintf(to, "nothing to do: no migration is pending\n");
    for (size_t i = 0; i < json_count(migrations); i++) {
        const struct json *m = json_at(migrations, i), *touches = json_find(m, "touches");
        fprintf(to, "would apply %s (%s)\n", json_str(m, "name", ""),
                str_plural(a, json_int(m, "statements", 0), "statement", "statements"));
        for (size_t t = 0; t < json_count(touches); t++)
            fprintf(to, "    changes or removes rows of %s\n", json_text_of(json_at(touches, t)));
    }
    for (size_t i = 0; i < json_count(findings); i++)
        fprintf(to, "found now: %s\n", json_str(json_at(findings, i), "message", ""));
    struct findings gate = findings_on(a);
    findings_add_json(&gate, json_find(plan, "gate"));
    if (gate.count > 0)
        fprintf(to, "the gate finds:\n");
    findings_print(&gate, to);
    if (findings_errors(&gate) > 0)
        fprintf(to, "a deploy would be refused by the gate: %s\n",
                str_plural(a, (int64_t)findings_errors(&gate), "error", "errors"));
    for (size_t i = 0; i < json_count(steps) && json_count(migrations) > 0; i++)
        fprintf(to, "step %zu: %s\n", i + 1, json_str(json_at(steps, i), "what", ""));
    if (json_count(migrations) > 0)
        fprintf(to, "%s\n", json_str(json_find(plan, "rehearsal"), "summary", ""));
    fprintf(to, "way back: %s\n", json_str(plan, "way_back", ""));
}
