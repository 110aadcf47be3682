/*
 * hook.h - lifecycle hooks: the user's own programs at fixed points of a run.
 *
 * <hooks-dir>/<point>/ holds executables, run one after another in the order of
 * their names (byte order), in the project's folder, without a shell, stdin from
 * /dev/null.  Left alone: names that begin with "." or end in "~" or ".sample",
 * and README*.  Anything else that is not an executable file refuses the run at
 * its start (hooks_check): a hook that silently does not run is worse than none.
 *
 *   pre-backup  post-backup     around the backup of a deploy, and around `migsafe backup`
 *   pre-migrate post-migrate    around all attempts of Prisma; post-migrate: it succeeded
 *   pre-restore post-restore    around a rollback, and around `migsafe restore` onto live
 *   end                         last of all, whatever the verdict
 *
 * A failing pre-* hook stops the run before that point (ERR_CHILD; ERR_TIMEOUT
 * for one that ran longer than `hook-timeout`) - but never an automatic rollback,
 * where it is a warning.  A failing post-* or end hook is a warning.  After a
 * failing one the others of its point are not run; those of a post-* are.
 *
 * What they are told: MIGSAFE_RUN_ID, _POINT, _COMMAND, _DATABASE, _HOST, _PROJECT,
 * _STATE_DIR, _MIGRATIONS (names, one a line), _BACKUP (folder of the full one),
 * _DATA_BACKUP, _BACKUP_ID, and at post-restore and end _VERDICT, _EXIT, _ERROR,
 * _KEPT_DATABASE, _REPORT (its file).  What is not known yet is not set.  Besides
 * these the caller's environment, as it is; never a secret of ours.
 *
 * What a hook prints goes to the log and, cut at 4 kB, into the journal.
 */
#ifndef MIGSAFE_CORE_HOOK_H
#define MIGSAFE_CORE_HOOK_H

#include "core/journal.h"
#include "core/report/report.h"
#include "core/settings/settings.h"

/* In the order of a run. */
#define HOOK_POINTS(X)                   \
    X(HOOK_PRE_BACKUP, "pre-backup")     \
    X(HOOK_POST_BACKUP, "post-backup")   \
    X(HOOK_PRE_MIGRATE, "pre-migrate")   \
    X(HOOK_POST_MIGRATE, "post-migrate") \
    X(HOOK_PRE_RESTORE, "pre-restore")   \
    X(HOOK_POST_RESTORE, "post-restore") \
    X(HOOK_END, "end")

enum hook_point {
#define X(symbol, name) symbol,
    HOOK_POINTS(X)
#undef X
};

struct hook_run {
    const struct settings *settings;
    const struct run_report *report; /* what is known so far: id, command, database, backups ... */
    struct journal *journal;         /* NULL: only the log */
};

/* Every point folder: what is in it can be run.  True too when there is no hooks-dir; ERR_PREFLIGHT
 * names the file; an unknown point folder is named as well (with the nearest known). */
MUST_CHECK bool hooks_check(struct arena *a, const struct settings *s, struct err *e);

/* Runs those of one point.  For pre-* the caller stops on false, else it warns.  Sees stop requests
 * as base/proc does, unless shielded. */
MUST_CHECK bool hooks_run(struct arena *a, const struct hook_run *run, enum hook_point point,
                          struct err *e);
const char *hook_point_name(enum hook_point point);

#endif
