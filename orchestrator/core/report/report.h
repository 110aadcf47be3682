/*
 * report.h - what happened in a run: one struct, filled while it goes.
 *
 *     struct run_report r = report_new(a, run, "deploy");
 *     report_add_step(&r, (struct report_step){.name = "backup", .result = "done", ...});
 *     ...
 *     report_end(&r, "restored", err_exit_status(ERR_RESTORED), &e);
 *     if (!report_write(a, state_dir, &r, e)) ...
 *
 * Kept as <state-dir>/runs/<run>/report.json; shown as text, Markdown, JSON, and
 * as the body of alerts (webhook_body).  Everything may be missing: NULL and zero
 * are "unknown" or "none" and are left out of what people read.
 *
 * Texts are kept by pointer: they live in the arena of report_new, or longer.
 */
#ifndef MIGSAFE_CORE_REPORT_H
#define MIGSAFE_CORE_REPORT_H

#include "core/health/finding.h"
#include "core/prisma/deploy.h"
#include "core/rehearsal/rehearsal.h"
#include "core/restore/rollback.h"

enum { REPORT_FORMAT = 1 };

struct report_migration { /* intended, in order */
    const char *name, *checksum;
};

struct report_attempt { /* one run of Prisma */
    int number;         /* from 1 */
    const char *class;  /* failure_class_name(): "transient"; "none" for success */
    const char *code, *sqlstate, *migration, *message; /* NULL or "": none */
    int64_t elapsed_ms;
    struct prisma_blocker blocker; /* pid 0: none */
};

struct report_backup {
    const char *id, *kind, *path; /* path: its folder */
    int64_t bytes, rows;
};

struct report_step {
    const char *name;
    const char *result; /* "done", "failed", "skipped", "undone", "undo failed" */
    int64_t elapsed_ms;
};

#define REPORT_LIST(type) \
    struct {              \
        type *items;      \
        size_t count;     \
        size_t size;      \
    }

struct run_report {
    struct arena *arena;
    const char *run, *command; /* "deploy", "restore", "recover", "backup" */
    bool recovered;            /* it had no end: a recover gave it one */
    const char *verdict;       /* NULL: not ended */
    int exit_status;           /* -1: not ended */
    const char *started_at, *finished_at;
    int64_t elapsed_ms;
    int64_t start_ms; /* of the monotonic clock */
    const char *database, *host;
    const char *git_commit, *git_branch, *migsafe_version;
    REPORT_LIST(struct report_migration) migrations;
    REPORT_LIST(struct report_attempt) attempts;
    REPORT_LIST(struct report_backup) backups;
    REPORT_LIST(struct report_step) steps;
    struct findings findings;                      /* new in this run: they counted */
    struct findings baseline;                      /* there before: they did not */
    struct err error;                              /* the first failure; kind ERR_NONE: none */
    const char *kept_database, *kept_drop_command; /* NULL: none */
    int64_t kept_bytes;
    const struct lost_writes *lost; /* what others wrote and the live database lacks now */
    size_t lost_count;
    struct lost_rows lost_rows; /* of them: the file that brings them back */
    int64_t swap_blocked_ms;    /* -1: no swap */
    int64_t writes_refused_ms;  /* by the fence; -1: there was none */
    struct rehearsal rehearsal;
    struct strlist warnings;
    const char *next; /* what to do now: whole sentences */
};

/* "migsafe replay RUN"; NULL: no file of lost writes. */
const char *report_replay(const struct run_report *r);
/* Stamps started_at. */
struct run_report report_new(struct arena *a, const char *run, const char *command);
void report_add_migration(struct run_report *r, const char *name, const char *checksum);
void report_add_attempt(struct run_report *r, const struct prisma_outcome *outcome);
void report_add_backup(struct run_report *r, const struct report_backup *b);
void report_add_step(struct run_report *r, const char *name, const char *result,
                     int64_t elapsed_ms);
void report_set_rollback(struct run_report *r, const struct rollback_result *result);
/* Stamps finished_at.  error may be NULL; known secrets (base/log) are taken out of it.  next is
 * filled by report_advice when it is NULL. */
void report_end(struct run_report *r, const char *verdict, int exit_status,
                const struct err *error);
/* What to do now where a run has no verdict in its journal, so that `recover` goes on with it. */
#define REPORT_GOES_ON                                                                       \
    "The way back is not finished. When what the error names has passed, `migsafe recover` " \
    "goes on with it; the next deploy does so by itself."
/* What to do now, by verdict, error and findings. */
const char *report_advice(const struct run_report *r) RETURNS_NONNULL;

struct json *report_json(const struct run_report *r) RETURNS_NONNULL; /* caller owns */
/* Texts are copied into the arena.  ERR_DAMAGED: no report, or a newer format. */
MUST_CHECK bool report_from_json(struct arena *a, const struct json *j, struct run_report *r,
                                 struct err *e);

/* For people: about one screen. */
char *report_text(struct arena *a, const struct run_report *r) RETURNS_NONNULL;
char *report_markdown(struct arena *a, const struct run_report *r) RETURNS_NONNULL;

/* <state-dir>/runs/<run>/report.json; the folder is made when it is missing.  ERR_SYSTEM. */
MUST_CHECK bool report_write(struct arena *a, const char *state_dir, const struct run_report *r,
                             struct err *e);
/* ERR_NOT_FOUND: the run has none (interrupted, or no such run); ERR_DAMAGED. */
MUST_CHECK bool report_read(struct arena *a, const char *state_dir, const char *run,
                            struct run_report *r, struct err *e);

/*
 * The body of an alert, caller owns:
 *   {"event":"deploy.restored","status":"success|failed","verdict","exit","run","database","host",
 *    "migrations":["2026..._x"],"attempts":2,"error":"...","backups":["app_..._full"],
 *    "backup_file":"/.../app_..._full","backup_size":123,"kept_database",
 *    "lost_writes":[{"table":"public.User","written","rows_then","rows_now"}],
 *    "lost_writes_file","replay":"migsafe replay RUN","git_commit","next"}
 * event is COMMAND.VERDICT for deploy and recover, COMMAND.done or COMMAND.failed for the others.
 * Every key is always there: null, or an empty list, where there is nothing to say.
 */
struct json *webhook_body(const struct run_report *r) RETURNS_NONNULL;

#endif
