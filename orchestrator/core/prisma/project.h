/*
 * project.h - the Prisma project: its schema, its migrations, its CLI.
 *
 * Found as Prisma itself finds them (facts in docs/PRISMA.md): the schema by
 * setting, prisma.config.*, package.json's "prisma".schema, ./schema.prisma,
 * ./prisma/schema.prisma, or a folder of .prisma files; the migrations by the
 * config's migrations.path, else beside the file with the datasource block.
 * prisma.config.ts is a program: only plain `schema:` and `path:` strings in it
 * are understood, anything else must be said by settings.
 */
#ifndef MIGSAFE_CORE_PRISMA_PROJECT_H
#define MIGSAFE_CORE_PRISMA_PROJECT_H

#include "base/str.h"

struct prisma_project {
    const char *root;       /* absolute; the folder the CLI runs in */
    const char *schema;     /* absolute; file or folder */
    const char *migrations; /* absolute; exists */
    const char *config;     /* prisma.config.*, or NULL */
    struct strlist
        url_variables; /* of url and directUrl: env("DATABASE_URL") ...; DATABASE_URL at least */
    /* Filled by prisma_project_cli: */
    const char *const *cli; /* argv up to the CLI: {"node", ".../build/index.js"} or {program} */
    const char *version;    /* "6.19.3" */
    int major;
};

/* schema: setting or NULL.  ERR_NOT_FOUND when there is no schema or no migrations folder, with a
 * hint naming the settings. */
MUST_CHECK bool prisma_project_find(struct arena *a, const char *root, const char *schema,
                                    struct prisma_project *p, struct err *e);

/* The CLI below root or a parent's node_modules (npm, pnpm, yarn with node_modules), or `prisma`, a
 * setting.  ERR_CHILD: none, or no node, or node too old for it.  ERR_PREFLIGHT: major 8 or later,
 * which has no `migrate deploy` and no _prisma_migrations. */
MUST_CHECK bool prisma_project_cli(struct arena *a, const char *prisma, struct prisma_project *p,
                                   struct err *e);

#endif
