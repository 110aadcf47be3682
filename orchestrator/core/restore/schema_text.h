/*
 * schema_text.h - two plain dumps of a schema compared: pure functions.
 */
#ifndef MIGSAFE_CORE_RESTORE_SCHEMA_TEXT_H
#define MIGSAFE_CORE_RESTORE_SCHEMA_TEXT_H

#include "base/str.h"

/* NULL when both say the same, else a line that one has and the other lacks, with "- " (only in
 * was) or "+ " (only in is) before it and its object behind it.  Comments, blank lines, \restrict
 * keys and the order of objects do not count: pg_dump orders some objects by their OIDs. */
const char *schema_text_difference(struct arena *a, const char *was, const char *is);
/* A line without what the server writes anew when it reads a CHECK of varchar back (parentheses and
 * casts between text types): two catalogs that say the same compare equal. */
const char *schema_text_sense(struct arena *a, const char *line);

#endif
