/*
 * insert_text.h - COPY text as INSERT statements, one a row.
 *
 * Values are quoted literals of unknown type, so that the server reads each with the input
 * function of its column, as COPY does; standard_conforming_strings must be on.  Pieces of
 * text may end anywhere; nothing of a row is kept but what decides how a value begins.
 */
#ifndef MIGSAFE_CORE_BACKUP_INSERT_TEXT_H
#define MIGSAFE_CORE_BACKUP_INSERT_TEXT_H

#include "ext/pack.h"

enum { INSERT_BUFFER = 64 * 1024 };

struct insert_text {
    struct pack *to;
    const char *before; /* "INSERT INTO t (a, b) VALUES (" */
    const char *empty;  /* the whole statement for a row without columns; NULL: there are some */
    int64_t rows;
    bool ended; /* the end mark has come */
    enum insert_state {
        INSERT_ROW,    /* at the start of a row */
        INSERT_FIELD,  /* at the start of another field */
        INSERT_VALUE,  /* within a quoted value */
        INSERT_FIRST,  /* behind a backslash that a row begins with */
        INSERT_START,  /* behind a backslash that another field begins with */
        INSERT_ESCAPE, /* behind a backslash within a value */
        INSERT_NULL,   /* behind \N */
        INSERT_MARK,   /* behind \. */
    } state;
    size_t used;
    char buffer[INSERT_BUFFER];
};

void insert_text_begin(struct insert_text *t, struct pack *to, const char *before,
                       const char *empty);
/* ERR_DAMAGED: an escape that COPY does not write, something behind the end mark. */
MUST_CHECK bool insert_text_add(struct insert_text *t, const char *text, size_t n, struct err *e);
/* ERR_DAMAGED: the text ends within a row. */
MUST_CHECK bool insert_text_end(struct insert_text *t, struct err *e);

#endif
