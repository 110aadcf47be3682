/*
 * progress_line.h - how far long work is, for who looks on: on a terminal one line that is
 * rewritten in place, elsewhere a line in the log now and then.
 *
 *     struct progress_line line = progress_line_new(ctx->settings, verbose);
 *     ... .progress = progress_line_of(&line) ...
 *     progress_line_end(&line);
 */
#ifndef MIGSAFE_CMD_PROGRESS_LINE_H
#define MIGSAFE_CMD_PROGRESS_LINE_H

#include "base/arena.h"
#include "core/backup/progress.h"
#include "core/settings/settings.h"

struct progress_line {
    struct progress progress;
    bool verbose;                /* a line in the log for every table */
    int64_t every_ms;            /* 0: nothing but tables */
    int64_t shown_ms, logged_ms; /* of the work's own time */
};

struct progress_line progress_line_new(const struct settings *s, bool verbose);
/* What the work is given; its address must not change meanwhile. */
struct progress *progress_line_of(struct progress_line *l);
/* Also after a failure. */
void progress_line_end(struct progress_line *l);

/* "backup: 312 MB of 1.3 GB (23 %), 95 MB/s, 12 s left" */
char *progress_text(struct arena *a, const struct progress_now *now) RETURNS_NONNULL;

#endif
