/*
 * words.h - schema.prisma and prisma.config.* cut into words, without running anything.
 *
 * Both languages have the same strings and comments, near enough.  Comments are
 * gone, strings are without quotes; a template with ${} in it becomes the mark
 * "`" followed by the words of what it contains.  Nothing is ever an error: a
 * broken file gives odd words, and Prisma itself will complain.
 */
#ifndef MIGSAFE_CORE_PRISMA_WORDS_H
#define MIGSAFE_CORE_PRISMA_WORDS_H

#include "base/arena.h"

enum word_kind { WORD_NAME, WORD_TEXT, WORD_MARK };

struct word {
    enum word_kind kind;
    const char *text; /* a mark is one character */
};

struct words {
    struct word *items;
    size_t count, size;
    struct arena *arena;
};

struct words words_of(struct arena *a, const char *text, size_t length);

/* False, too, when there is no word i. */
bool word_is_mark(const struct words *w, size_t i, char mark);
bool word_is_name(const struct words *w, size_t i, const char *name);
/* The string's text at i, or NULL. */
const char *word_text(const struct words *w, size_t i);

#endif
