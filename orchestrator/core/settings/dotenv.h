/*
 * dotenv.h - a .env file, read as Prisma reads it: npm's dotenv 16, then Prisma's expansion.
 *
 *     # comment            KEY: value               export KEY=value # comment
 *     KEY='raw'            KEY="a\nb"               KEY=`raw`        (quotes may span lines)
 *     KEY=${OTHER}         KEY=\${NOT_EXPANDED}
 *
 * Only \n and \r are escapes, in double quotes.  "${NAME}" is replaced in every
 * value, also a quoted one: by the environment where it has NAME, else by the
 * file, else by nothing.  Lines that are none of this are skipped.
 */
#ifndef MIGSAFE_CORE_DOTENV_H
#define MIGSAFE_CORE_DOTENV_H

#include "base/str.h"

struct dotenv {
    struct strlist names, values; /* as many of each; the last of a name counts */
};

struct dotenv dotenv_parse(struct arena *a, const char *text);
/* NULL: not there. */
const char *dotenv_get(const struct dotenv *d, const char *name);

#endif
