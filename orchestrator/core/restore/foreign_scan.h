/*
 * foreign_scan.h - reads SQL as psql would read it, in pieces, without memory of what was read.
 *
 *     struct foreign_scan s;
 *     foreign_scan_begin(&s);
 *     while (more) if (!foreign_scan(&s, bytes, n, e)) ...;
 *     if (!foreign_scan_end(&s, e)) ...;
 *
 * It follows psql's lexer (fe_utils/psqlscan.l) where the two could come to differ about
 * what is a command: quotes, dollar quotes, comments, parentheses, BEGIN ATOMIC, COPY data,
 * standard_conforming_strings.  What psql reads in different ways by version or by encoding is
 * refused: a bare carriage return outside of quotes, a number that touches a quote, the client
 * encodings in which a byte of a character may be a backslash.
 *
 * Refused besides: backslash commands but \restrict and \unrestrict (pg_dump's own, which are
 * blanked in the bytes, so that older psql read the text too), psql's variables, and statements
 * that reach beyond the database, COPY from or to a file or program of the server among them.  Not
 * seen: what a DO block or a function does.
 */
#ifndef MIGSAFE_CORE_FOREIGN_SCAN_H
#define MIGSAFE_CORE_FOREIGN_SCAN_H

#include "base/err.h"

enum { SCAN_WORD = 64, SCAN_COMMENT = 160, SCAN_LEAD = 4, SCAN_VERSION = 80 };

struct foreign_scan {
    /* What was found; whole after foreign_scan_end. */
    char server_version[SCAN_VERSION], tool_version[SCAN_VERSION]; /* "": not said */
    bool names_owner;                                              /* ALTER ... OWNER TO */
    bool creates, loads; /* CREATE; INSERT or COPY ... FROM stdin */
    bool opaque;         /* DO or CALL, which may do anything */

    /* The lexer. */
    int64_t line;
    size_t marks; /* bytes of a byte order mark, blanked too */
    int state;
    char held;            /* a "-" or "/" that may begin a comment; or NUL */
    int depth;            /* of comments */
    char last;            /* the byte before, where two belong together; or NUL */
    bool after_cr;        /* a line end must follow */
    char quote;           /* that ends the string or name that is open */
    bool escapes;         /* a backslash in it escapes */
    bool escaped;         /* the next byte is */
    bool plain_escapes;   /* standard_conforming_strings is off */
    bool after_colon;     /* what is being read is a variable, should psql know it */
    char text[SCAN_WORD]; /* of the word or string being read: cut */
    size_t text_length;
    char tag[SCAN_WORD]; /* of the dollar quote that is open */
    size_t tag_length, candidate;
    bool in_candidate;
    char comment[SCAN_COMMENT];
    size_t comment_length;
    int data_state;

    /* The statement. */
    int64_t statement_line;
    char lead[SCAN_LEAD][SCAN_WORD]; /* its first words, upper case; "" for anything else */
    size_t tokens;
    char final[SCAN_WORD];  /* the last token likewise */
    char string[SCAN_WORD]; /* the last string, upper case */
    int parens, begins;     /* begins: of BEGIN ATOMIC bodies, as psql counts them */
    char names[SCAN_LEAD];  /* psql's memory of its first names */
    size_t name_count;
    int copy;              /* how far COPY ... FROM stdin is read */
    bool copies_elsewhere; /* COPY from or to a file or program of the server */
    bool on_database, names_strings, names_encoding;
    bool any; /* there was a statement */
    bool of_pg_dump, complete;
};

void foreign_scan_begin(struct foreign_scan *s);
/* ERR_DAMAGED: "line 7: ...", with a hint. */
MUST_CHECK bool foreign_scan(struct foreign_scan *s, char *bytes, size_t n, struct err *e);
MUST_CHECK bool foreign_scan_end(struct foreign_scan *s, struct err *e);

/* Not part of it but of what decides: statement by statement (foreign_rules.c). */
MUST_CHECK bool foreign_rule_first(const struct foreign_scan *s, struct err *e);
MUST_CHECK bool foreign_rule_statement(const struct foreign_scan *s, struct err *e);
MUST_CHECK bool foreign_rule_variable(const struct foreign_scan *s, const char *name,
                                      struct err *e);

#endif
