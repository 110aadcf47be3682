#include "steps/recover_run.h"

#include "base/clock.h"
#include "base/fs.h"
#include "core/recover/before.h"

static const char *copied(struct arena *a, const struct json *j, const char *key)
{
    return arena_strdup(a, json_str(j, key, ""));
}

static void read_baseline(struct recovery *r)
{
    const struct json *note = journal_last(r->journaled.records, "preflight", "note");
    findings_add_json(&r->run->baseline, json_find(json_find(note, "data"), "baseline"));
    r->run->report.baseline = r->run->baseline;
}

/* What was acknowledged on the command line of the deploy. */
static void read_allowed(struct recovery *r)
{
    const struct json *begin = journal_first(r->journaled.records, "run", "begin");
    const struct json *list = json_find(json_find(begin, "data"), "allow");
    struct settings *s = ARENA_NEW(r->arena, struct settings);
    *s = *r->spec->settings;
    struct strlist allow = strlist_on(r->arena);
    for (size_t i = 0; i < s->allow.count; i++)
        strlist_add(&allow, s->allow.items[i]);
    for (const struct json *j = json_first(list); j != NULL; j = json_next(j))
        if (json_text_of(j) != NULL)
            strlist_add(&allow, arena_strdup(r->arena, json_text_of(j)));
    s->allow = allow;
    r->run->settings = s;
}

/* Intended: with its SQL where that was written down. */
static void read_intended(struct recovery *r)
{
    struct run *run = r->run;
    const struct migration_list *list = &r->facts.intended;
    run->history.pending = strlist_on(r->arena);
    run->folder = *list;
    run->effects = arena_array(r->arena, list->count + 1, sizeof(*run->effects));
    for (size_t i = 0; i < list->count; i++) {
        strlist_add(&run->history.pending, list->items[i].name);
        run->effects[i] =
            effects_of(r->arena, list->items[i].sql == NULL ? "" : list->items[i].sql);
    }
    for (size_t i = 0; i < r->past.migration_count; i++)
        report_add_migration(&run->report, r->past.migrations[i].name,
                             r->past.migrations[i].checksum);
}

static enum failure_class class_of(const char *name)
{
    for (int c = FAILURE_NONE; c < FAILURE_UNKNOWN; c++)
        if (strcmp(failure_class_name((enum failure_class)c), name) == 0)
            return (enum failure_class)c;
    return FAILURE_UNKNOWN;
}

static void read_attempts(struct recovery *r)
{
    struct arena *a = r->arena;
    for (const struct json *j = json_first(r->journaled.records); j != NULL; j = json_next(j)) {
        const struct json *data = json_find(j, "data");
        if (strcmp(json_str(j, "event", ""), "attempt") != 0)
            continue;
        const struct prisma_outcome outcome = {
            .failure = {.class = class_of(json_str(data, "class", "")),
                        .code = copied(a, data, "code"),
                        .sqlstate = copied(a, data, "sqlstate"),
                        .migration = copied(a, data, "migration"),
                        .message = copied(a, data, "message")}};
        report_add_attempt(&r->run->report, &outcome);
        r->run->permanent =
            outcome.failure.class == FAILURE_PERMANENT || outcome.failure.class == FAILURE_UNKNOWN;
    }
}

static void add_backup(struct recovery *r, const char *id, const char *kind)
{
    struct stored s;
    struct err ignored = {0};
    const char *dir = r->spec->settings->backup_dir;
    if (id[0] == '\0' || !store_find(r->arena, dir, id, &s, &ignored))
        return;
    report_add_backup(&r->run->report, &(struct report_backup){.id = s.id,
                                                               .kind = kind,
                                                               .path = s.folder,
                                                               .bytes = s.manifest.bytes,
                                                               .rows = manifest_rows(&s.manifest)});
}

static void read_backups(struct recovery *r)
{
    struct run *run = r->run;
    const struct json *note = journal_last(r->journaled.records, "backup", "note");
    const struct json *data = json_find(note, "data");
    if (r->past.backup != NULL)
        add_backup(r, r->past.backup, "full");
    add_backup(r, copied(r->arena, data, "data"), "data");
    run->has_backup = r->facts.backup.id != NULL;
    run->stored = r->facts.backup;
    if (run->has_backup)
        run->backup =
            (struct backup_done){.full_id = run->stored.id, .manifest = run->stored.manifest};
}

static int64_t seconds_at(const struct json *record)
{
    return clock_parse_rfc3339(json_str(record, "at", ""));
}

/* Each begin with the done or failed that follows it. */
static void read_steps(struct recovery *r)
{
    const char *step = NULL;
    int64_t began = 0;
    for (const struct json *j = json_first(r->journaled.records); j != NULL; j = json_next(j)) {
        const char *name = json_str(j, "step", ""), *event = json_str(j, "event", "");
        if (strcmp(name, "run") == 0 || strcmp(name, "recover") == 0)
            continue;
        if (strcmp(event, "begin") == 0) {
            step = arena_strdup(r->arena, name);
            began = seconds_at(j);
        } else if (str_same(step, name) &&
                   (strcmp(event, "done") == 0 || strcmp(event, "failed") == 0)) {
            report_add_step(&r->run->report, step, arena_strdup(r->arena, event),
                            (seconds_at(j) - began) * 1000);
            step = NULL;
        }
    }
    if (step != NULL)
        report_add_step(&r->run->report, step, "interrupted", 0);
}

static void make_report(struct recovery *r)
{
    struct run *run = r->run;
    run->report = report_new(r->arena, r->past.run, r->past.command);
    run->report.recovered = true;
    run->report.started_at = r->past.started_at;
    run->report.database = r->past.database == NULL ? run->site.live.dbname : r->past.database;
    run->report.host = run->site.live.host;
    read_baseline(r);
    read_intended(r);
    read_attempts(r);
    read_backups(r);
    read_steps(r);
}

/* Without its project a run can still be undone. */
static void find_project(struct run *run)
{
    struct err ignored = {0};
    const struct settings *s = run->settings;
    if (!prisma_project_find(run->arena, s->project, s->schema, &run->project, &ignored))
        run->project = (struct prisma_project){.root = fs_absolute(run->arena, s->project)};
}

void recovery_make_run(struct recovery *r)
{
    struct arena *a = r->arena;
    struct err ignored = {0};
    struct run *run = ARENA_NEW(a, struct run);
    const char *id = r->past.run;
    *run = (struct run){
        .recovering = true,
        .arena = a,
        .id = id,
        .application_name = arena_printf(a, "migsafe:%s", id),
        .progress = r->spec->progress,
        .site = *r->spec->site,
        .lock = r->spec->lock,
        .facts = r->facts.live,
        .baseline = findings_on(a),
        .gate = findings_on(a),
        .found = findings_on(a),
        .in_place = r->past.in_place,
        .changed = true,
    };
    r->run = run;
    read_allowed(r);
    find_project(run);
    make_report(r);
    if (r->past.live_oid != NULL)
        run->facts.oid = r->past.live_oid;
    run->xid_before = r->past.xid;
    if (r->past.fence_set)
        run->fence_mark = (struct fence_mark){
            .run = id, .was_setting = r->past.fence_was, .was_comment = r->past.fence_was_comment};
    if (!catalogs_read(a, r->run_folder, &run->schema_before, &ignored))
        run->schema_before = (struct snapshot){0};
}
