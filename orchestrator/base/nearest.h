/*
 * nearest.h - which known word a mistyped one was meant to be: "Did you mean ...?".
 */
#ifndef MIGSAFE_BASE_NEAREST_H
#define MIGSAFE_BASE_NEAREST_H

#include "base/str.h"

/* The word of the list that word most likely stands for; NULL when none is close. */
const char *nearest(const struct strlist *words, const char *word);

#endif
