/*
 * data_text.h - COPY text on its way: fields left out, fields looked at.
 *
 * Fields are separated by tabs, rows by newlines; both are escaped inside values, so
 * every such byte is a separator and cutting there is exact.  Pieces end anywhere.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_TEXT_H
#define MIGSAFE_CORE_RESTORE_DATA_TEXT_H

#include "base/str.h"

struct data_cut {
    const bool *drop; /* by field */
    int field_count;  /* that each row must have */
    /* of data_cut_text alone; zero at the start */
    int field;
    bool begun; /* something of that field, or its end, was seen */
    bool kept;  /* a field of this row was passed on */
    int64_t rows;
};

/* As the `change` of a load_spec (load.h); context: a struct data_cut.  ERR_DAMAGED: a row with
 * another number of fields. */
MUST_CHECK bool data_cut_text(void *context, const char *text, size_t n, struct str *out,
                              struct err *e);

/* One field that is looked at. */
struct data_watch {
    int field;
    /* A value of it, unescaped; NULLs are not told. */
    void (*see)(void *context, const char *value);
    void *context;
};

struct data_look {
    const struct data_watch *watches; /* by rising field */
    size_t watch_count;
    int field_count;
    /* of data_look_text alone; value must be str_on() */
    struct str value;
    size_t next; /* watch */
    int field;
    int64_t rows;
    bool ended; /* the end mark (\.) was seen */
};

/* A piece of text; ends at the end mark.  ERR_DAMAGED: a row with another number of fields. */
MUST_CHECK bool data_look_text(struct data_look *l, const char *text, size_t n, struct err *e);

#endif
