/*
 * status_past.h - what earlier runs left: for `migsafe status`.
 *
 * The last run on this database (journal), its last usable full backup (store),
 * the databases of ours beside it (side), a fence on it, who applies migrations to it.  Each is
 * left out when it cannot be read, with a warning in the log: status tells what it can.
 */
#ifndef MIGSAFE_CMD_STATUS_PAST_H
#define MIGSAFE_CMD_STATUS_PAST_H

#include "cmd/cmd.h"
#include "core/backup/store.h"
#include "core/fence/fence.h"
#include "core/journal.h"
#include "core/restore/side.h"
#include "core/site.h"

struct past {
    struct journal_run run; /* run NULL: none */
    const char *open;       /* a run without an end, or undecided: what to do; NULL: none */
    struct stored backup;   /* id NULL: none */
    struct side_database *beside;
    size_t beside_count;
    struct fence_mark fence; /* run NULL: none */
    const char *applying;    /* who holds Prisma's lock just now; NULL: nobody */
};

void past_read(struct arena *a, const struct settings *s, const struct site *site,
               struct past *past);
void past_json(const struct past *past, struct json *to);
void past_print(struct arena *a, const struct past *past, FILE *to);

#endif
