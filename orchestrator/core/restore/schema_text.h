/*
 * schema_text.h - two plain dumps of a schema compared: pure functions.
 */
#ifndef MIGSAFE_CORE_RESTORE_SCHEMA_TEXT_H
#define MIGSAFE_CORE_RESTORE_SCHEMA_TEXT_H

#include "base/str.h"

/* NULL when both say the same, else the first line that one has and the other lacks, with "- "
 * (only in was) or "+ " (only in is) before it.  Comments, blank lines, \restrict keys and the
 * order of objects do not count: pg_dump orders some objects by their OIDs. */
const char *schema_text_difference(struct arena *a, const char *was, const char *is);

#endif
