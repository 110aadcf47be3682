#include "core/recover/judge.h"

static struct judgement clean(const char *verdict, const char *why)
{
    return (struct judgement){.action = RECOVER_CLEAN, .verdict = verdict, .why = why};
}

static struct judgement nothing(const char *why)
{
    return (struct judgement){.action = RECOVER_NOTHING, .verdict = "broken", .why = why};
}

/* Why live may not be replaced by the backup; NULL: it may. */
static const char *why_not_back(const struct past *p, const struct truth *t)
{
    bool proven = (t->side_there && p->side.proven) || t->standby_there;
    if (t->live != LIVE_IS_OLD)
        return "The live database is not the one that the run worked on.";
    if (t->others_migrated)
        return "Others have migrated the database since: going back would take that away.";
    if (!t->backup_good && !proven)
        return "The run's backup is missing or damaged.";
    if (t->fence_stands)
        return NULL;
    if (t->others_wrote)
        return "Others have written since the backup, or it cannot be excluded: going back would "
               "take that away.";
    if (!t->within_limit)
        return "The run stopped longer ago than recover-limit: what is in the database now may be "
               "meant.";
    return NULL;
}

static struct judgement back(const struct past *p, const struct truth *t)
{
    const char *why_not = why_not_back(p, t);
    bool proven = t->side_there && p->side.proven && p->side.oid != NULL;
    if (why_not != NULL)
        return nothing(why_not);
    return (struct judgement){
        .action = proven ? RECOVER_SWAP : RECOVER_BACK,
        .verdict = "restored",
        .why = proven ? "It was on its way back, and the restored database is proven."
               : p->stage == PAST_MIGRATING ? "It stopped in the middle of the migrations."
                                            : "It was on its way back.",
    };
}

static struct judgement judge_migrating(const struct past *p, const struct truth *t)
{
    if (t->live == LIVE_IS_MISSING)
        return nothing("There is no live database.");
    if (t->ledger == LEDGER_AS_BEFORE)
        return clean("unchanged", "Ledger and catalogs are as before.");
    if (t->ledger == LEDGER_COMPLETE && !t->backup_good)
        return nothing("Its migrations are all applied, but the run's backup is missing or "
                       "damaged: what they lost cannot be seen.");
    if (t->ledger == LEDGER_COMPLETE)
        return (struct judgement){.action = RECOVER_FORWARD,
                                  .verdict = "migrated",
                                  .may_go_back = why_not_back(p, t) == NULL,
                                  .why = "Its migrations are all applied."};
    return back(p, t);
}

static struct judgement restored(const char *why)
{
    return (struct judgement){.action = RECOVER_RESTORED, .verdict = "restored", .why = why};
}

static struct judgement judge_swapping(const struct past *p, const struct truth *t)
{
    if (t->live == LIVE_IS_SIDE)
        return restored("The restored database is live.");
    if (p->stage == PAST_SWAPPED || t->live != LIVE_IS_OLD)
        return nothing(t->live == LIVE_IS_MISSING
                           ? "There is no live database."
                           : "Somebody has changed after the swap which database is live.");
    return p->is_restore ? clean("unchanged", "It was not swapped yet.") : back(p, t);
}

static struct judgement judge_in_place(const struct past *p, const struct truth *t)
{
    switch (t->transaction) {
    case TRANSACTION_COMMITTED:
        return restored("Its transaction was committed.");
    case TRANSACTION_ABORTED:
        return p->is_restore ? clean("unchanged", "Its transaction was not committed.")
                             : back(p, t);
    case TRANSACTION_UNKNOWN:
        break;
    }
    return nothing("The server does not know any more whether its transaction was committed.");
}

struct judgement recover_judge(const struct past *past, const struct truth *truth)
{
    switch (past->stage) {
    case PAST_BEFORE_BACKUP:
    case PAST_BACKED_UP:
        if (past->is_restore)
            return clean("unchanged", "It had not touched the live database.");
        return past->migrate_begun ? clean("unchanged", "Prisma was not started.")
                                   : clean("refused", "It stopped before the migrations.");
    case PAST_MIGRATING:
        return judge_migrating(past, truth);
    case PAST_ROLLING_BACK:
        return back(past, truth);
    case PAST_SWAPPING:
    case PAST_SWAPPED:
        return judge_swapping(past, truth);
    case PAST_IN_PLACE:
        return judge_in_place(past, truth);
    case PAST_COMMITTED:
        return (struct judgement){.action = RECOVER_COMMITTED,
                                  .verdict = "migrated",
                                  .why = "It had passed its commit point."};
    }
    return nothing("Its journal tells nothing.");
}

const char *recover_action_name(enum recover_action action)
{
    switch (action) {
    case RECOVER_CLEAN:
        return "clean up";
    case RECOVER_FORWARD:
        return "check and finish";
    case RECOVER_COMMITTED:
        return "finish";
    case RECOVER_BACK:
        return "restore the backup";
    case RECOVER_SWAP:
        return "swap in what is restored";
    case RECOVER_RESTORED:
        return "finish the restore";
    case RECOVER_NOTHING:
        return "nothing";
    }
    return "";
}
