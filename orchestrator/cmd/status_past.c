#include "cmd/status_past.h"

#include "base/clock.h"
#include "base/log.h"
#include "cmd/backup_output.h"
#include "cmd/progress_line.h"
#include "core/prisma/deploy.h"
#include "steps/earlier.h"

/* The database that a run worked on: its first record says so. */
static bool is_of(const struct journal_run *r, const char *database)
{
    const struct json *begin = json_find(json_at(r->records, 0), "data");
    return strcmp(json_str(begin, "database", database), database) == 0;
}

static bool read_run(struct arena *a, const struct settings *s, const char *database,
                     struct past *past, struct err *e)
{
    struct strlist runs;
    if (!journal_list(a, s->state_dir, &runs, e))
        return false;
    for (size_t i = runs.count; i-- > 0 && past->run.run == NULL;) {
        struct journal_run r;
        if (!journal_read(a, s->state_dir, runs.items[i], &r, e))
            return false;
        if (json_count(r.records) > 0 && is_of(&r, database))
            past->run = r;
        json_free(r.records);
        past->run.records = NULL;
    }
    return true;
}

static bool read_open(struct arena *a, const struct settings *s, const char *database,
                      struct past *past, struct err *e)
{
    struct earlier earlier;
    if (!earlier_read(a, s->state_dir, &(struct earlier_of){.database = database}, &earlier, e))
        return false;
    past->open = earlier_text(a, &earlier);
    return true;
}

static bool read_backup(struct arena *a, const struct settings *s, const char *database,
                        struct past *past, struct err *e)
{
    struct store store;
    if (!store_read(a, s->backup_dir, &store, e))
        return false;
    for (size_t i = 0; i < store.count; i++) {
        const struct stored *b = &store.items[i];
        if (b->damage == NULL && strcmp(b->manifest.kind, "full") == 0 &&
            strcmp(b->manifest.database.name, database) == 0)
            past->backup = *b;
    }
    return true;
}

static bool read_beside(struct arena *a, const struct settings *s, const struct site *site,
                        struct past *past, struct err *e)
{
    AUTO(pg) struct pg *m = site_open_maintenance(site, s, "migsafe status", e);
    return m != NULL && side_list(a, m, site->live.dbname, &past->beside, &past->beside_count, e) &&
           fence_read(a, m, site->live.dbname, &past->fence, e) &&
           prisma_lock_holder(a, m, site->live.dbname, &past->applying, e);
}

void past_read(struct arena *a, const struct settings *s, const struct site *site,
               struct past *past)
{
    struct err e = {0};
    *past = (struct past){0};
    if (!read_run(a, s, site->live.dbname, past, &e))
        log_err_as(LOG_WARNING, &e);
    if (!read_open(a, s, site->live.dbname, past, &e))
        log_err_as(LOG_WARNING, &e);
    if (!read_backup(a, s, site->live.dbname, past, &e))
        log_err_as(LOG_WARNING, &e);
    if (!read_beside(a, s, site, past, &e))
        log_err_as(LOG_WARNING, &e);
}

static void put_progress(const struct journal_progress *p, struct json *to)
{
    struct json *j = json_put_object_if(to, "progress", p->doing != NULL);
    if (j == NULL)
        return;
    json_put(j, "doing", p->doing);
    json_put_int(j, "done", p->done);
    json_put_int(j, "total", p->total);
    json_put_int(j, "rate", p->rate);
    json_put_int(j, "left_ms", p->left_ms);
    json_put_int(j, "rows", p->rows);
    json_put(j, "at", p->at);
}

static void put_run(const struct journal_run *r, struct json *to)
{
    struct json *j = json_put_object_if(to, "last_run", r->run != NULL);
    if (j == NULL)
        return;
    json_put(j, "run", r->run);
    json_put(j, "command", r->command);
    json_put(j, "verdict", r->verdict);
    json_put_int(j, "exit", r->exit_status);
    json_put(j, "step", r->last_step);
    json_put(j, "event", r->last_event);
    json_put(j, "started_at", r->started_at);
    json_put(j, "ended_at", r->verdict == NULL ? NULL : r->ended_at);
    put_progress(&r->progress, j);
}

static void put_fence(const struct fence_mark *mark, struct json *to)
{
    if (mark->run == NULL) {
        json_put(to, "fence", NULL);
        return;
    }
    struct json *j = json_put_object(to, "fence");
    json_put(j, "run", mark->run);
    json_put(j, "until", mark->until);
    json_put_bool(j, "expired", mark->expired);
}

void past_json(const struct past *past, struct json *to)
{
    put_run(&past->run, to);
    json_put(to, "open_run", past->open);
    json_put(to, "applying", past->applying);
    put_fence(&past->fence, to);
    json_put(to, "last_good_backup", past->backup.id);
    struct json *list = json_put_array(to, "databases_beside");
    for (size_t i = 0; i < past->beside_count; i++) {
        const struct side_database *d = &past->beside[i];
        struct json *item = json_push_object(list);
        json_put(item, "name", d->name);
        json_put(item, "purpose", d->purpose);
        json_put(item, "run", d->run);
        json_put(item, "made_at", d->made_at);
        json_put_int(item, "bytes", d->bytes);
    }
}

static const char *ago(struct arena *a, const char *at)
{
    int64_t then = clock_parse_rfc3339(at);
    return then < 0 ? "" : backup_age(a, then);
}

static void print_progress(struct arena *a, const struct journal_progress *p, FILE *to)
{
    const struct progress_now now = {.doing = p->doing,
                                     .done = p->done,
                                     .total = p->total,
                                     .rate = p->rate,
                                     .left_ms = p->left_ms};
    if (p->doing != NULL)
        fprintf(to, "progress:   %s, %s ago\n", progress_text(a, &now), ago(a, p->at));
}

void past_print(struct arena *a, const struct past *past, FILE *to)
{
    const struct journal_run *r = &past->run;
    if (r->run != NULL && r->verdict != NULL)
        fprintf(to, "last run:   %s %s: %s (exit %d), %s ago\n", r->command, r->run, r->verdict,
                r->exit_status, ago(a, r->ended_at));
    else if (r->run != NULL)
        fprintf(to, "last run:   %s %s has no end: last record \"%s\" of step \"%s\", %s ago\n",
                r->command, r->run, r->last_event, r->last_step, ago(a, r->ended_at));
    print_progress(a, &r->progress, to);
    if (past->applying != NULL)
        fprintf(to, "applying:   migrations are applied just now, by %s\n", past->applying);
    if (past->open != NULL)
        fprintf(to, "open:       %s\n", past->open);
    if (past->backup.id != NULL)
        fprintf(to, "backup:     %s, %s ago\n", past->backup.id,
                ago(a, past->backup.manifest.finished_at));
    if (past->fence.run != NULL)
        fprintf(to, "fence:      writes of others are refused by run %s%s\n", past->fence.run,
                past->fence.expired ? ", which is dead: the next deploy, restore or backup lifts it"
                                    : "");
    for (size_t i = 0; i < past->beside_count; i++) {
        const struct side_database *d = &past->beside[i];
        fprintf(to, "%-11s %s, %s, %s old; when nobody needs it: %s\n",
                strcmp(d->purpose, "kept") == 0 ? "kept:" : "left over:", d->name,
                str_bytes(a, d->bytes), ago(a, d->made_at), side_drop_command(a, d->name));
    }
}
