/*
 * journal.h - the durable record of a run: <state-dir>/runs/<run>/journal.jsonl.
 *
 * One JSON object a line, fsynced before the act it announces.  `begin` before,
 * `done` or `failed` after; `attempt` and `note` between; a `verdict` ends it,
 * after which only the alert and hooks of point `end` are noted.  After the verdict
 * "broken" a person's decision may follow: recover done {"decision":"keep|restore"}.
 * recover, status, report and the tests read this one file.
 *
 * Whoever writes holds a lock on the file (flock), which goes with the process.
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
/* Opens the journal of a run again, to go on with it: `migsafe recover`.  Its records from here on
 * are of `command`.  A broken last line of a crash is cut off.  ERR_BUSY: the run is alive on this
 * machine.  ERR_NOT_FOUND, ERR_DAMAGED, ERR_SYSTEM. */
MUST_CHECK struct journal *journal_continue(const char *state_dir, const char *run,
                                            const char *command, struct err *e);
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
    const char *run, *command; /* command: of the first record, whoever went on */
    const char *verdict;       /* NULL: it has no end */
    const char *last_step, *last_event, *started_at, *ended_at;
    const char *decision; /* of a person, after "broken"; NULL: none */
    int exit_status;      /* of the verdict; -1 */
    struct journal_progress progress;
    struct json *records; /* list; owned by the caller's json_free */
};
/* ERR_NOT_FOUND, ERR_DAMAGED (a newer version; a broken last line of a crash is dropped silently).
 */
MUST_CHECK bool journal_read(struct arena *a, const char *state_dir, const char *run,
                             struct journal_run *r, struct err *e);
/* The first, or the last, record of a step and event in a list of records; NULL: none. */
const struct json *journal_first(const struct json *records, const char *step, const char *event);
const struct json *journal_last(const struct json *records, const char *step, const char *event);
/* Has a process of this machine this run's journal open for writing?  Then it is at work. */
bool journal_is_held(struct arena *a, const char *state_dir, const char *run);
/* Without reading it as records: may it lack an end, or a decision after "broken"? */
bool journal_may_be_open(const char *state_dir, const char *run);
/* Ids of all runs, in their order; which is not surely that of their work: a run that waited for
 * others has its id from before theirs, and clocks are set back.  A folder without a journal is
 * none yet: another process is just making it, or died before it began. */
MUST_CHECK bool journal_list(struct arena *a, const char *state_dir, struct strlist *runs,
                             struct err *e);

#endif
