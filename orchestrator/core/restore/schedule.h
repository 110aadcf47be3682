/*
 * schedule.h - what a session that restores does next: loads rows, or makes an index of a table
 * whose rows are there.  No session waits for a lock of another while there is other work.
 *
 *     while (schedule_take(&s, &item, e)) {
 *         if (item == NULL) return true;      all is done or under way
 *         ...
 *         schedule_done(&s, item);
 *     }
 *     return false;
 */
#ifndef MIGSAFE_CORE_RESTORE_SCHEDULE_H
#define MIGSAFE_CORE_RESTORE_SCHEDULE_H

#include "base/arena.h"
#include "base/err.h"

#include <pthread.h>

enum schedule_kind {
    SCHEDULE_ROWS,
    SCHEDULE_ALONE,  /* wants the table for itself */
    SCHEDULE_SHARED, /* beside others of its kind */
};

struct schedule_item {
    enum schedule_kind kind;
    bool last;      /* not before all rows of all tables are there */
    size_t table;   /* number; of rows of several tables the first, of which no index is here */
    int64_t weight; /* of the table: heavier ones come first */
    const void *what;
    bool taken; /* of schedule.c alone */
};

struct schedule {
    struct schedule_item *items;
    size_t count;
    pthread_mutex_t mutex;          /* of what follows */
    size_t first;                   /* all before it are taken */
    size_t rows_left, rows_waiting; /* items not done, not begun */
    struct schedule_table *tables;
};

/* Sorts the items.  tables: more than any number of one. */
void schedule_begin(struct arena *a, struct schedule *s, size_t tables);
void schedule_end(struct schedule *s);

/* Waits for what can be done now.  *item NULL: nothing is left to begin.  ERR_CANCELLED. */
MUST_CHECK bool schedule_take(struct schedule *s, struct schedule_item **item, struct err *e);
void schedule_done(struct schedule *s, const struct schedule_item *item);

#endif
