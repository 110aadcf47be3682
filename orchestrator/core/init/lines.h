/*
 * lines.h - what `migsafe init` adds to files of lines that are the user's: Makefile, .gitignore.
 */
#ifndef MIGSAFE_CORE_INIT_LINES_H
#define MIGSAFE_CORE_INIT_LINES_H

#include "base/str.h"

/* Is there an include of the file, also as -include and among others? */
bool make_includes(struct arena *a, const char *makefile, const char *file);
/* The targets that both define. */
struct strlist make_common_targets(struct arena *a, const char *makefile, const char *other);
bool make_assigns(struct arena *a, const char *makefile, const char *variable);
/* The Makefile ("" for a new one) with lines of ours at its end, where they cannot become part of a
 * line that goes on. */
char *make_with(struct arena *a, const char *makefile, const char *lines) RETURNS_NONNULL;

/* Does a line of .gitignore name the file or folder, with whichever slashes? */
bool ignore_names(struct arena *a, const char *ignore, const char *name);
/* The file with the line at its end; "" for a new one. */
char *lines_with(struct arena *a, const char *text, const char *line) RETURNS_NONNULL;

#endif
