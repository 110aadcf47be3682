/*
 * hook.h - lifecycle hooks: the user's own programs at fixed points of a run.
 *
 * <hooks-dir>/<point>/ holds executables, run one after another in the order of
 * their names (byte order), in the project's folder, without a shell, stdin from
 * /dev/null.  Left alone: names that begin with "." or end in "~" or ".sample",
 * and README*.  Anything else that is not an executable file refuses the run at
 * its start (hooks_check): a hook that silently does not run is worse than none.
 *
 *   pre-backup  post-backup     around each backup of a deploy, and around `migsafe backup`
 *   pre-migrate post-migrate    around all attempts of Prisma
 *   pre-restore post-restore    around a rollback, and around `migsafe restore` onto live
 *   end                         last of all, whatever the verdict
 *
 * A failing pre-* hook stops the run before that point (ERR_CHILD; ERR_TIMEOUT
 * for one that ran longer than `hook-timeout`) - but never an automatic rollback,
 * where it is a warning.  A failing post-* or end hook is a warning.  After a
 * failing pre-* hook the others of its point are not run; those of a post-* and
 * of end are.
 *
 * post-backup and post-migrate run when that went well.  post-restore runs
 * whenever a pre-restore hook may have run, restored or not, and like end under a
 * shield against stop requests: what was stopped before can be started again.
 *
 * What they are told: MIGSAFE_RUN_POINT, _COMMAND, _ID, _DATABASE, _HOST,
 * _PROJECT, _STATE_DIR, _MIGRATIONS (names, one a line); of the newest backup of
 * this run _BACKUP_ID, _BACKUP (folder of the full one) and _DATA_BACKUP; _REASON
 * around a backup; _RESTORED (yes, no) at post-restore; _KEPT_DATABASE from there
 * on; at end _VERDICT, _EXIT, _ERROR and _REPORT (its file).  What is not known is
 * not set.  Besides these the environment that migsafe was started with, but for
 * PG*, which migsafe never heeds; nothing of ours, so no secret from a .env.
 *
 * What a hook prints goes to the log and, cut at 4 kB, into the journal: step
 * "hook", event "note" or "failed".
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
    const char *reason;              /* of the backup, around one; or NULL */
    bool fenced; /* writes of others are refused: hooks may, through PGOPTIONS (core/fence) */
};

/* Every point folder: what is in it can be run.  True too when there is no hooks-dir.  ERR_CONFIG:
 * a hooks-dir that is no folder; ERR_PREFLIGHT names the file that cannot be run, or what looks
 * like a point and is none ("prebackup", or a file "pre-backup.sh"); other folders are left alone.
 */
MUST_CHECK bool hooks_check(struct arena *a, const struct settings *s, struct err *e);

/* Runs those of one point.  For pre-* the caller stops on false, else it warns: *e is the first
 * failure, further ones are in the log. */
MUST_CHECK bool hooks_run(struct arena *a, const struct hook_run *run, enum hook_point point,
                          struct err *e);
const char *hook_point_name(enum hook_point point);

#endif
