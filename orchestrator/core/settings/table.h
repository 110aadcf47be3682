/*
 * table.h - the rows behind settings.h, for the files of this folder only.
 */
#ifndef MIGSAFE_CORE_SETTINGS_TABLE_H
#define MIGSAFE_CORE_SETTINGS_TABLE_H

#include "core/settings/settings.h"

enum setting_type {
    SETTING_TEXT,
    SETTING_CHOICE,
    SETTING_INTEGER,
    SETTING_DURATION_MS,
    SETTING_SIZE,
    SETTING_BOOLEAN,
    SETTING_LIST,
};

struct setting_row {
    const char *key, *fallback, *second, *help;
    size_t offset, from_offset;
    enum setting_type type;
    unsigned flags;
};

extern const struct setting_row setting_rows[];
extern const size_t setting_row_count;

const struct setting_row *setting_find(const char *key); /* NULL: unknown */
/* "MIGSAFE_LOCK_TIMEOUT" */
char *setting_env_name(struct arena *a, const struct setting_row *row) RETURNS_NONNULL;
/* The words of a CHOICE. */
struct strlist setting_words(struct arena *a, const struct setting_row *row);
enum setting_source setting_source_of(const struct settings *s, const struct setting_row *row);
/* The value as one would write it; NULL: not set. */
char *setting_text(struct arena *a, const struct settings *s, const struct setting_row *row);

/* As settings_set; base: the folder that a relative path is relative to; where: what the error
 * begins with ("file \"migsafe.json\""), or NULL. */
struct setting_origin {
    enum setting_source source;
    const char *base, *where;
};
MUST_CHECK bool setting_put(struct arena *a, struct settings *s, const struct setting_row *row,
                            const char *value, const struct setting_origin *origin, struct err *e);

/* Always false: ERR_CONFIG, with the key that is perhaps meant. */
bool setting_unknown(struct arena *a, const char *key, struct err *e);
/* The folder of files without a migsafe.json: the current one. */
char *setting_current_folder(struct arena *a) RETURNS_NONNULL;

/* Parsers of values.  False: not one. */
bool setting_parse_int(const char *text, int *value);
bool setting_parse_duration_ms(const char *text, int64_t *ms);
bool setting_parse_size(const char *text, int64_t *bytes);
bool setting_parse_boolean(const char *text, bool *value);
/* "90s": the largest unit that says it exactly. */
char *setting_duration_text(struct arena *a, int64_t ms) RETURNS_NONNULL;
/* "256MB": the same. */
char *setting_size_text(struct arena *a, int64_t bytes) RETURNS_NONNULL;

#endif
