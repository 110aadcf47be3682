/*
 * outlook.h - shall it be rehearsed, and is there room for a standby?
 *
 * Where the server's disk is ours to see, the copies must fit it.  Where it is
 * not, one restored database up to UNSEEN_RESTORE is made, as the way back would
 * need the same room, and a copy of it besides up to UNSEEN_COPY: a full disk
 * stops the server.
 */
#ifndef MIGSAFE_CORE_REHEARSAL_OUTLOOK_H
#define MIGSAFE_CORE_REHEARSAL_OUTLOOK_H

#include "core/connection/connection.h"
#include "ext/json.h"

#define OUTLOOK_UNSEEN_RESTORE (10LL << 30)
#define OUTLOOK_UNSEEN_COPY    (1LL << 30)
#define OUTLOOK_RESERVE        (256LL << 20) /* left free besides */

struct rehearsal_outlook_facts {
    const char *setting;      /* auto, always, never */
    int64_t bytes;            /* of the database; -1: unknown */
    int64_t free_bytes;       /* of the server's disk; -1: not ours to see */
    int64_t backup_ms;        /* how long the backup took; 0: none was taken yet */
    int64_t limit_ms;         /* how long it may take; 0: none */
    const char *limit_name;   /* the setting that says so */
    const char *reaches_past; /* words of the SQL that a copy cannot hold; or NULL */
    const char *reaching;     /* migration that has them */
    const char *powerless;    /* role that may not create databases; NULL: it may, or not known */
};

struct rehearsal_outlook {
    bool rehearse, standby;
    const char *why;        /* not rehearsed; NULL */
    const char *no_standby; /* why none; NULL */
    int64_t estimated_ms;   /* without the migration itself */
};

/* A pure function; texts live in the arena. */
struct rehearsal_outlook rehearsal_outlook(struct arena *a,
                                           const struct rehearsal_outlook_facts *f);

/* {"rehearse","why","standby","no_standby","estimated_ms"}; one line for people. */
void rehearsal_outlook_json(const struct rehearsal_outlook *o, struct json *to);
char *rehearsal_outlook_line(struct arena *a, const struct rehearsal_outlook *o) RETURNS_NONNULL;

/* Free bytes of the disk that database live is on; -1 when it cannot be seen from here. */
int64_t rehearsal_free_bytes(struct arena *a, struct pg *db, const struct connection *server,
                             const char *live);

#endif
