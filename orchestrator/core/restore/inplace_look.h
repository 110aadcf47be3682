/*
 * inplace_look.h - what a restore in place would drop, and why it cannot be done.
 */
#ifndef MIGSAFE_CORE_RESTORE_INPLACE_LOOK_H
#define MIGSAFE_CORE_RESTORE_INPLACE_LOOK_H

#include "core/restore/inplace.h"

struct inplace {
    struct arena *arena;
    const struct inplace_spec *spec;
    struct pg *db; /* in live */
    struct toc toc;
    bool *left_out;       /* entries of the archive that are there and stay: schemas, comments of
                           * extensions */
    struct strlist drops; /* statements */
    struct inplace_plan plan;
};

/* Fills all of it; spec and db are set.  In an open transaction too. */
MUST_CHECK bool inplace_read(struct inplace *p, struct err *e);

#endif
