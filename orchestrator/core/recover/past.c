#include "core/recover/past.h"

static const char *copied(struct arena *a, const struct json *data, const char *key)
{
    const char *text = json_str(data, key, NULL);
    return text == NULL || text[0] == '\0' ? NULL : arena_strdup(a, text);
}

/* *to stays what it was when the record does not say it. */
static void take(struct arena *a, const struct json *data, const char *key, const char **to)
{
    const char *text = copied(a, data, key);
    if (text != NULL)
        *to = text;
}

/* One record, as the readers of steps below see it. */
struct record {
    struct arena *arena;
    const char *event, *part;
    const struct json *data;
};

static bool is(const struct record *r, const char *event, const char *part)
{
    return strcmp(r->event, event) == 0 && strcmp(r->part, part) == 0;
}

static void reach(struct past *p, enum past_stage stage)
{
    p->stage = stage;
}

static void at_run(struct past *p, const struct record *r)
{
    if (strcmp(r->event, "begin") != 0)
        return;
    take(r->arena, r->data, "database", &p->database);
    take(r->arena, r->data, "host", &p->host);
    take(r->arena, r->data, "live_oid", &p->live_oid);
    take(r->arena, r->data, "backup", &p->backup);
    take(r->arena, r->data, "into", &p->into);
}

static void at_fence(struct past *p, const struct record *r)
{
    take(r->arena, r->data, "live_oid", &p->live_oid);
    if (is(r, "note", "set")) {
        p->fence_set = true;
        p->fence_was = copied(r->arena, r->data, "was");
        p->fence_was_comment = copied(r->arena, r->data, "was_comment");
        p->fence_set_by = copied(r->arena, r->data, "set_by");
    } else if (is(r, "note", "lifted")) {
        p->fence_set = false;
    }
}

static void at_backup(struct past *p, const struct record *r)
{
    if (strcmp(r->event, "note") == 0)
        take(r->arena, r->data, "full", &p->backup);
    if (strcmp(r->event, "done") == 0 && p->backup != NULL)
        reach(p, PAST_BACKED_UP);
}

static void at_rehearse(struct past *p, const struct record *r)
{
    const char *name = copied(r->arena, r->data, "name");
    if (name == NULL)
        return;
    if (is(r, "note", "standby"))
        p->standby = (struct past_database){name, copied(r->arena, r->data, "oid"), true};
    else if (is(r, "note", "dropped") && str_same(p->standby.name, name))
        p->standby = (struct past_database){0};
}

static void read_migrations(struct past *p, struct arena *a, const struct json *list)
{
    p->migration_count = json_count(list);
    p->migrations = arena_array(a, p->migration_count + 1, sizeof(*p->migrations));
    for (size_t i = 0; i < p->migration_count; i++) {
        const struct json *m = json_at(list, i);
        p->migrations[i] = (struct past_migration){.name = arena_strdup(a, json_str(m, "name", "")),
                                                   .checksum = copied(a, m, "checksum")};
    }
}

static void read_before(struct past *p, const struct record *r)
{
    p->catalogs = copied(r->arena, r->data, "catalogs");
    p->ledgers = copied(r->arena, r->data, "ledgers");
    p->other_ledgers = copied(r->arena, r->data, "others");
    p->applied = json_int(r->data, "applied", -1);
    p->xid = copied(r->arena, r->data, "xid");
}

/* Until Prisma is started (its pid is written down before) nothing can have happened. */
static void read_child(struct past *p, const struct record *r)
{
    p->child = (pid_t)json_int(r->data, "pid", 0);
    p->child_start = json_int(r->data, "start_time", 0);
    p->child_boot = copied(r->arena, r->data, "boot_id");
    p->application_name = copied(r->arena, r->data, "application_name");
    reach(p, PAST_MIGRATING);
}

static void at_migrate(struct past *p, const struct record *r)
{
    if (strcmp(r->event, "begin") == 0) {
        p->migrate_begun = true;
        read_migrations(p, r->arena, json_find(r->data, "migrations"));
        take(r->arena, r->data, "live_oid", &p->live_oid);
        take(r->arena, r->data, "backup", &p->backup);
        p->in_place = p->in_place || json_bool(r->data, "in_place", false);
    } else if (is(r, "note", "before")) {
        read_before(p, r);
    } else if (strcmp(r->event, "note") == 0 && json_int(r->data, "pid", 0) > 0) {
        read_child(p, r);
    }
}

/* Notes of rollback.h: "create" has no oid yet, "restored" means proven. */
static void read_side(struct past *p, const struct record *r, bool proven)
{
    const char *name = copied(r->arena, r->data, "side");
    if (name == NULL)
        return;
    p->side = (struct past_database){name, copied(r->arena, r->data, "side_oid"), proven};
    take(r->arena, r->data, "kept", &p->kept);
    take(r->arena, r->data, "live_oid", &p->live_oid);
}

static void at_rollback(struct past *p, const struct record *r)
{
    if (strcmp(r->event, "begin") == 0) {
        p->transaction = NULL;
        p->in_place = p->in_place || json_bool(r->data, "in_place", false);
        take(r->arena, r->data, "backup", &p->backup);
        take(r->arena, r->data, "live_oid", &p->live_oid);
        reach(p, PAST_ROLLING_BACK);
    } else if (is(r, "note", "in place")) {
        p->transaction = copied(r->arena, r->data, "transaction");
        reach(p, PAST_IN_PLACE);
    } else if (strcmp(r->event, "note") == 0) {
        read_side(p, r, strcmp(r->part, "restored") == 0);
    }
}

/* The step of `restore`; also that of its rows within live, and that of `replay`. */
static void at_restore(struct past *p, const struct record *r)
{
    if (is(r, "note", "in place")) {
        p->transaction = copied(r->arena, r->data, "transaction");
        reach(p, PAST_IN_PLACE);
    } else if (json_find(r->data, "side") != NULL) {
        read_side(p, r, strcmp(r->event, "done") == 0);
        reach(p, PAST_BACKED_UP);
    }
}

static void at_swap(struct past *p, const struct record *r)
{
    bool done = strcmp(r->event, "done") == 0;
    read_side(p, r, true);
    reach(p, done ? PAST_SWAPPED : PAST_SWAPPING);
}

static void at_health(struct past *p, const struct record *r)
{
    if (strcmp(r->event, "done") == 0)
        reach(p, PAST_COMMITTED);
}

static void read_record(struct past *p, const char *step, const struct record *r)
{
    static const struct {
        const char *step;
        void (*read)(struct past *p, const struct record *r);
    } readers[] = {
        {"run", at_run},           {"fence", at_fence},     {"backup", at_backup},
        {"rehearse", at_rehearse}, {"migrate", at_migrate}, {"rollback", at_rollback},
        {"restore", at_restore},   {"replay", at_restore},  {"swap", at_swap},
        {"health", at_health},
    };
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        if (strcmp(readers[i].step, step) == 0)
            readers[i].read(p, r);
}

/* What was only looked at, or told, does not make a run younger. */
static bool counts_as_work(const char *step, const char *event)
{
    return strcmp(step, "recover") != 0 && strcmp(event, "verdict") != 0 &&
           strcmp(step, "announce") != 0 && strcmp(step, "hook") != 0;
}

struct past past_of(struct arena *a, const struct journal_run *r)
{
    struct past p = {
        .run = r->run,
        .command = r->command == NULL ? "" : r->command,
        .started_at = r->started_at,
        .last_at = r->started_at,
        .last_step = r->last_step,
        .last_event = r->last_event,
        .decision = r->decision,
        .verdict = r->verdict,
        .applied = -1,
    };
    p.is_replay = strcmp(p.command, "replay") == 0;
    p.is_restore = p.is_replay || strcmp(p.command, "restore") == 0;
    for (const struct json *j = json_first(r->records); j != NULL; j = json_next(j)) {
        const struct json *data = json_find(j, "data");
        const char *step = json_str(j, "step", ""), *event = json_str(j, "event", "");
        const struct record record = {a, event, json_str(data, "part", ""), data};
        read_record(&p, step, &record);
        if (!counts_as_work(step, event))
            continue;
        p.last_step = arena_strdup(a, step);
        p.last_event = arena_strdup(a, event);
        take(a, j, "at", &p.last_at);
    }
    return p;
}

const char *past_stage_name(enum past_stage stage)
{
    switch (stage) {
    case PAST_BEFORE_BACKUP:
        return "before the backup";
    case PAST_BACKED_UP:
        return "before anything was changed";
    case PAST_MIGRATING:
        return "migrating";
    case PAST_ROLLING_BACK:
        return "rolling back";
    case PAST_SWAPPING:
        return "swapping";
    case PAST_SWAPPED:
        return "swapped";
    case PAST_IN_PLACE:
        return "restoring in place";
    case PAST_COMMITTED:
        return "committed";
    }
    return "";
}
