/*
 * json.h - reading and writing JSON.  The only header that knows cJSON.
 *
 * A document is owned by its root (AUTO(json)); json_put_object and friends give
 * children that belong to it.  Writers never fail (out of memory ends the
 * process, as in arena).  Getters of required things fail with ERR_DAMAGED and
 * name the key; the caller wraps the file's path around it.  Integers are exact
 * to 2^53.
 */
#ifndef MIGSAFE_EXT_JSON_H
#define MIGSAFE_EXT_JSON_H

#include "base/arena.h"
#include "base/err.h"

struct json;

void json_free(struct json *j); /* accepts NULL */
DEFINE_AUTO(json, struct json *, json_free);

struct json *json_object(void) RETURNS_NONNULL;
struct json *json_array(void) RETURNS_NONNULL;
struct json *json_copy(const struct json *j) RETURNS_NONNULL;
/* NULL: ERR_DAMAGED with line and column of the first mistake.  Nothing may follow the value. */
MUST_CHECK struct json *json_parse(const char *text, size_t length, struct err *e);
char *json_text(struct arena *a, const struct json *j) RETURNS_NONNULL;   /* one line */
char *json_pretty(struct arena *a, const struct json *j) RETURNS_NONNULL; /* ends with a newline */

void json_put(struct json *object, const char *key, const char *text); /* NULL text: null */
void json_put_int(struct json *object, const char *key, int64_t value);
void json_put_bool(struct json *object, const char *key, bool value);
struct json *json_put_object(struct json *object, const char *key) RETURNS_NONNULL;
/* NULL, and null below the key, unless it is there. */
struct json *json_put_object_if(struct json *object, const char *key, bool there);
struct json *json_put_array(struct json *object, const char *key) RETURNS_NONNULL;
void json_put_node(struct json *object, const char *key, struct json *taken); /* owns it from now */
void json_push(struct json *array, const char *text);
void json_push_int(struct json *array, int64_t value);
struct json *json_push_object(struct json *array) RETURNS_NONNULL;
void json_push_node(struct json *array, struct json *taken);
/* {"kind","sqlstate","message","detail","hint"} below key; null when e->kind is ERR_NONE. */
void json_put_err(struct json *object, const char *key, const struct err *e);

/* NULL when absent or null.  Keys are case-sensitive. */
struct json *json_find(const struct json *object, const char *key);
size_t json_count(const struct json *container);              /* NULL: 0 */
struct json *json_at(const struct json *container, size_t i); /* slow: walks there */
/* for (j = json_first(list); j != NULL; j = json_next(j)) */
struct json *json_first(const struct json *container); /* NULL: NULL */
struct json *json_next(const struct json *member);
const char *json_key(const struct json *member); /* of a member of an object */
bool json_is_object(const struct json *j);       /* NULL: false */
bool json_is_array(const struct json *j);

/* Loose: a fallback when absent or of another type.  Texts live as long as the document. */
const char *json_str(const struct json *object, const char *key, const char *fallback);
int64_t json_int(const struct json *object, const char *key, int64_t fallback);
bool json_bool(const struct json *object, const char *key, bool fallback);
const char *json_text_of(const struct json *j); /* a string's text, else NULL */

/* False when it is no number, or not a whole one up to 2^53. */
bool json_whole(const struct json *j, int64_t *value);

/* Strict: ERR_DAMAGED. */
MUST_CHECK bool json_need_str(const struct json *object, const char *key, const char **text,
                              struct err *e);
MUST_CHECK bool json_need_int(const struct json *object, const char *key, int64_t *value,
                              struct err *e);
MUST_CHECK bool json_need_array(const struct json *object, const char *key, struct json **array,
                                struct err *e);
MUST_CHECK bool json_need_object(const struct json *object, const char *key, struct json **child,
                                 struct err *e);
MUST_CHECK bool json_need_bool(const struct json *object, const char *key, bool *value,
                               struct err *e);
struct json_text_field {
    const char *key, **to;
    bool optional; /* NULL when absent or null */
};
/* Several texts of one object, copied. */
MUST_CHECK bool json_read_texts(struct arena *a, const struct json *object,
                                const struct json_text_field *fields, size_t count, struct err *e);
/* A scalar of a settings file as text ("5", "true", the string); NULL for anything else. */
char *json_scalar(struct arena *a, const struct json *j);

#endif
