/*
 * str.h - a string that grows, in an arena.
 *
 *     struct str s = str_on(arena);
 *     str_add(&s, "a");  str_printf(&s, "%d", 7);
 *     use(s.text);
 *
 * Invariants: text is never NULL and always NUL-terminated; length excludes the NUL.
 */
#ifndef MIGSAFE_BASE_STR_H
#define MIGSAFE_BASE_STR_H

#include "base/arena.h"
#include "base/err.h"

struct str {
    struct arena *arena;
    char *text;
    size_t length, size;
};

struct str str_on(struct arena *a);
void str_add(struct str *s, const char *text);
void str_add_n(struct str *s, const char *bytes, size_t n);
void str_printf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Adds separator first unless the string is still empty: lists. */
void str_item(struct str *s, const char *separator, const char *text);

/* Plain helpers on C strings. */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_same(const char *a, const char *b); /* NULL equals NULL only */
char *str_trim(struct arena *a, const char *text) RETURNS_NONNULL;
/* What is no UTF-8, and control characters but \n and \t, as "?": output of programs in logs. */
char *str_printable(struct arena *a, const char *text) RETURNS_NONNULL;
/* Digits of n in groups: "1 234 567" for people. */
char *str_count(struct arena *a, int64_t n) RETURNS_NONNULL;
/* "12 MB": bytes for people, units of 1024. */
char *str_bytes(struct arena *a, int64_t bytes) RETURNS_NONNULL;
/* "1 table", "2 tables". */
char *str_plural(struct arena *a, int64_t n, const char *one, const char *many) RETURNS_NONNULL;

/* A list of strings in an arena, NULL-terminated: argv, environments, names. */
struct strlist {
    struct arena *arena;
    const char **items; /* items[count] is NULL; NULL itself while empty is never seen: use count */
    size_t count, size;
};

struct strlist strlist_on(struct arena *a);
void strlist_add(struct strlist *l, const char *text); /* keeps the pointer */
void strlist_printf(struct strlist *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strlist_sort(struct strlist *l); /* by bytes */
bool strlist_has(const struct strlist *l, const char *text);
char *strlist_join(const struct strlist *l, const char *separator) RETURNS_NONNULL;

#endif
