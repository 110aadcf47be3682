/*
 * backup_output.h - how the commands show backups: JSON objects and lines of a table.
 */
#ifndef MIGSAFE_CMD_BACKUP_OUTPUT_H
#define MIGSAFE_CMD_BACKUP_OUTPUT_H

#include "core/backup/retention.h"

/* {"id","kind","reason",...} of one backup; "damage" is null for a good one, and what only a
 * manifest knows is null for a damaged one.  choice (may be NULL) adds "keep" and "why". */
void backup_json(const struct stored *s, const struct retention_choice *choice, struct json *to);

/* "3 days", "5 h": how long ago, for people. */
char *backup_age(struct arena *a, int64_t taken_at) RETURNS_NONNULL;
/* "restore, 3 days ago"; "FAILED: files, 2 h ago"; "-" when it never was. */
char *backup_verified(struct arena *a, const struct manifest *m) RETURNS_NONNULL;

/* Text that may come from a database, on one line: no control characters. */
char *one_line(struct arena *a, const char *text) RETURNS_NONNULL;

/* Cells row after row, the first row is the head; columns are as wide as they must be. */
void print_table(const struct strlist *cells, size_t columns, FILE *to);

#endif
