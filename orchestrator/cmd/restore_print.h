/*
 * restore_print.h - what `migsafe restore` says, as text and as JSON.
 */
#ifndef MIGSAFE_CMD_RESTORE_PRINT_H
#define MIGSAFE_CMD_RESTORE_PRINT_H

#include "cmd/restore_file.h"
#include "core/restore/preview.h"
#include "core/restore/rollback.h"

/* What is restored: one of the two. */
struct restore_what {
    const struct stored *backup;
    const struct restore_file *file;
};
/* In one line: id, reason, age, rows, size; or kind, origin, size. */
char *restore_what_line(struct arena *a, const struct restore_what *what) RETURNS_NONNULL;

/* "backup" or "file" of a document.  counted: tables and rows are known. */
void restore_put_what(struct json *to, const struct restore_what *what, bool counted);

struct restore_plan {
    struct restore_what what;
    const char *onto;     /* live, or NULL */
    const char *into;     /* a new database, or NULL */
    const char *kept;     /* what its name would look like; NULL with into and in place */
    const char *in_place; /* what would be done there, or NULL */
    const struct preview_table *tables;
    size_t table_count;
    struct strlist gone; /* what live has and the backup lacks */
};
void restore_print_plan(struct cmd_context *ctx, const struct restore_plan *plan);

void restore_print_done(struct cmd_context *ctx, const struct restore_what *what, const char *live,
                        const char *run, const struct rollback_result *r);

/* How long newcomers waited, what is kept, and what is only there. */
void restore_print_swapped(struct cmd_context *ctx, const struct rollback_result *r);

struct restore_new {
    const char *name, *run;
    int64_t elapsed_ms;
    bool dropped; /* it was a trial */
};
void restore_print_into(struct cmd_context *ctx, const struct restore_what *what,
                        const struct restore_new *made);

#endif
