/*
 * journal.h - the durable record of a run: <state-dir>/runs/<run>/journal.jsonl.
 *
 * One JSON object a line, fsynced before the act it announces.  `begin` before,
 * `done` or `failed` after; `attempt` and `note` between; one `verdict` ends it,
 * after which only hooks of point `end` are noted.
 * recover, status, report and the tests read this one file.
 *   {"v":1,"seq","at","run","command","step","event","data":{},"error":{...}}
 */
#ifndef MIGSAFE_CORE_JOURNAL_H
#define MIGSAFE_CORE_JOURNAL_H

#include "base/str.h"
#include "ext/json.h"

enum { JOURNAL_VERSION = 1 };

struct journal; /* open for writing */

void journal_close(struct journal *j); /* accepts NULL */
DEFINE_AUTO(journal, struct journal *, journal_close);

/* Makes the run's folder and opens its journal.  ERR_SYSTEM. */
MUST_CHECK struct journal *journal_open(const char *state_dir, const char *run, const char *command,
                                        struct err *e);
/* data (may be NULL) is taken; error may be NULL.  On failure nothing may go on: ERR_SYSTEM. */
MUST_CHECK bool journal_write(struct journal *j, const char *step, const char *event,
                              struct json *data, const struct err *error, struct err *e);
const char *journal_run(const struct journal *j);
const char *journal_folder(const struct journal *j);

/* How far long work was (core/backup/progress.h), as a note {"progress":{...}} of a step tells it.
 */
struct journal_progress {
    const char *doing; /* NULL: none since the last other record */
    const char *at;
    int64_t done, total, rate, left_ms, rows;
};

/* A finished or interrupted run, read back.  The last record is never one of progress. */
struct journal_run {
    const char *run, *command;
    const char *verdict; /* NULL: it has no end */
    const char *last_step, *last_event, *started_at, *ended_at;
    int exit_status; /* of the verdict; -1 */
    struct journal_progress progress;
    struct json *records; /* list; owned by the caller's json_free */
};
/* ERR_NOT_FOUND, ERR_DAMAGED (a newer version; a broken last line of a crash is dropped silently).
 */
MUST_CHECK bool journal_read(struct arena *a, const char *state_dir, const char *run,
                             struct journal_run *r, struct err *e);
/* Ids of all runs, oldest first. */
MUST_CHECK bool journal_list(struct arena *a, const char *state_dir, struct strlist *runs,
                             struct err *e);

#endif
