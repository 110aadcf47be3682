/*
 * log.h - what the operator sees on stderr (stdout is for results only).
 *
 * Log at the top of an operation, not where an error is made: see err.h.  Lines
 * are text in PostgreSQL's form or one JSON object each, and go to the second
 * stream (--log-file) as well when there is one.  Passwords that were made known
 * with log_secret() are replaced by *** wherever they would appear.
 */
#ifndef MIGSAFE_BASE_LOG_H
#define MIGSAFE_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_init(enum log_level least, FILE *to);
void log_level_set(enum log_level least);
void log_json(bool on);
void log_copy_to(FILE *file);        /* NULL: none */
void log_secret(const char *secret); /* copied; NULL and short ones are ignored */
/* A line below the log that the next one takes the place of, as does whatever is logged; NULL: away
 * with it.  False, and nothing written, where people do not look on: the log is no terminal, is
 * JSON, or is to tell only warnings. */
bool log_in_place(const char *text);
/* text with every known secret replaced, in the caller's buffer. */
void log_redact(const char *text, char *to, size_t size);

void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_err(const struct err *e); /* message, detail and hint lines */
void log_err_as(enum log_level level, const struct err *e);

#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

#endif
