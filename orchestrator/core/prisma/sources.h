/*
 * sources.h - what schema.prisma and prisma.config.* say about paths and URLs.
 *
 * Read, never run: a config file is a program, of which plain strings and
 * path.join() of plain strings are understood.
 */
#ifndef MIGSAFE_CORE_PRISMA_SOURCES_H
#define MIGSAFE_CORE_PRISMA_SOURCES_H

#include "base/str.h"

/* The datasource block of one .prisma file. */
struct datasource {
    bool found;
    const char *provider;    /* "postgresql"; NULL: not said */
    struct strlist url_vars; /* of url and directUrl: env("X") */
    bool url_is_literal;     /* url is written out in the file */
};

MUST_CHECK bool datasource_read(struct arena *a, const char *file, struct datasource *d,
                                struct err *e);

enum config_value { CONFIG_ABSENT, CONFIG_PLAIN, CONFIG_UNCLEAR };

struct prisma_config {
    enum config_value schema_is, migrations_are;
    const char *schema, *migrations; /* absolute, where CONFIG_PLAIN */
    struct strlist url_vars;         /* env("X") and process.env.X near a url */
    bool url_is_literal;
};

/* root: the folder in which the CLI runs. */
MUST_CHECK bool prisma_config_read(struct arena *a, const char *file, const char *root,
                                   struct prisma_config *c, struct err *e);

#endif
