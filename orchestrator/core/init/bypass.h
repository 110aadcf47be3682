/*
 * bypass.h - where a project runs `prisma migrate deploy` by itself, past migsafe.
 *
 * Start scripts, Dockerfiles, CI files and npm's postinstall are where most projects have it; one
 * that is forgotten migrates without backup and way back.
 */
#ifndef MIGSAFE_CORE_INIT_BYPASS_H
#define MIGSAFE_CORE_INIT_BYPASS_H

#include "base/str.h"

/* "package.json:17", as seen from folder, in the order of the walk.  Comments do not count.  What
 * cannot be read is passed over: this is advice. */
struct strlist bypasses(struct arena *a, const char *folder);

/* Does the line run it?  "prisma migrate deploy", ["migrate","deploy"]; not in a comment. */
bool bypass_line(const char *line, size_t length);

#endif
