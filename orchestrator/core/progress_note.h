/*
 * progress_note.h - the numbers of a progress in the journal too, for other readers.
 *
 *     struct progress_note n = progress_note_to(run->journal, "backup", run->progress);
 *     ... .progress = &n.progress ...
 *     progress_release(&n.progress);
 *
 * A note of the step, {"progress":{doing,done,total,rate,left_ms,rows}}: at most every two
 * seconds, because each is synced, and none of work that is done before.
 */
#ifndef MIGSAFE_CORE_PROGRESS_NOTE_H
#define MIGSAFE_CORE_PROGRESS_NOTE_H

#include "core/backup/progress.h"
#include "core/journal.h"

enum { PROGRESS_NOTE_MS = 2000 };

struct progress_note {
    struct progress progress;    /* give this to the work */
    const struct progress *also; /* hears everything as well; or NULL */
    struct journal *journal;
    const char *step;
    int64_t next_ms; /* of the work's own time */
};

/* Its address must not change once work has it. */
struct progress_note progress_note_to(struct journal *journal, const char *step,
                                      const struct progress *also);
/* What the work is given. */
struct progress *progress_note_of(struct progress_note *n);

#endif
