#include "steps/follow.h"

#include "base/log.h"
#include "core/journal.h"

/* "backup 45 %", as far as it is known. */
static void tell(struct follow *f, const char *run, const struct journal_run *r)
{
    char now[sizeof(f->said)];
    const struct journal_progress *p = &r->progress;
    snprintf(now, sizeof(now), "%s", r->last_step);
    if (p->doing != NULL && p->total > 0) { /* in tenths: the log is no progress line */
        int64_t percent = p->done * 10 / p->total * 10;
        snprintf(now, sizeof(now), "%s, %lld %%", r->last_step, (long long)percent);
    }
    if (strcmp(now, f->said) == 0)
        return;
    memcpy(f->said, now, sizeof(now));
    log_info("run %s is at: %s", run, now);
}

/* Its folder may be on another machine: then nothing is told. */
static void follow_journal(struct follow *f, const char *run)
{
    AUTO(arena) struct arena *a = arena_new();
    struct journal_run r;
    struct err ignored = {0};
    if (run[0] == '\0' || !journal_read(a, f->state_dir, run, &r, &ignored))
        return;
    if (r.last_step != NULL && r.verdict == NULL)
        tell(f, run, &r);
    json_free(r.records);
}

static bool meanwhile(void *context, const char *run, bool migrated, bool *enough, struct err *e)
{
    struct follow *f = context;
    follow_journal(f, run);
    if (!migrated)
        return true;
    if (!f->complete(f->context, enough, e))
        return false;
    if (*enough)
        log_info("run %s has migrated the database", run);
    return true;
}

struct runlock_claim follow_claim(struct follow *f, const char *run, const char *command)
{
    return (struct runlock_claim){
        .run = run, .command = command, .meanwhile = meanwhile, .context = f};
}
