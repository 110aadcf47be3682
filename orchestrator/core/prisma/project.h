/*
 * project.h - the Prisma project: its schema, its migrations, its CLI.
 *
 * Found as Prisma itself finds them (facts in docs/PRISMA.md): the schema by
 * setting, prisma.config.*, package.json's "prisma".schema, ./schema.prisma,
 * ./prisma/schema.prisma, or a folder of .prisma files; the migrations by the
 * config's migrations.path, else beside the file with the datasource block.
 * prisma.config.ts is a program: only plain strings and path.join() of such are
 * understood in it, anything else must be said by settings.
 */
#ifndef MIGSAFE_CORE_PRISMA_PROJECT_H
#define MIGSAFE_CORE_PRISMA_PROJECT_H

#include "base/str.h"

struct prisma_project {
    const char *root;             /* absolute; the folder the CLI runs in */
    const char *schema;           /* absolute; file or folder */
    const char *migrations;       /* absolute; exists */
    const char *config;           /* prisma.config.*, or NULL */
    struct strlist url_variables; /* of url and directUrl: env("DB") ...; DATABASE_URL always */
    bool url_is_literal;          /* the URL is written out there: no variable of ours reaches it */
    /* Filled by prisma_project_cli: */
    const char *const *cli; /* argv up to the CLI: {"node", ".../build/index.js"} or {program} */
    const char *version;    /* "6.19.3"; "unknown" of a program that is in no package */
    int major;              /* 0: unknown */
};

/*
 * project: the folder with package.json.  schema: setting or NULL, relative to project; where it
 * lies deep in a tree below project, root is its nearest parent with a package.json.
 * ERR_NOT_FOUND, with a hint naming the settings: no project, no schema, no datasource block, no
 * migrations folder.  ERR_CONFIG: a path in prisma.config.* that is no plain string; a schema for
 * another database.  ERR_PREFLIGHT: migrations of Prisma 8.
 */
MUST_CHECK bool prisma_project_find(struct arena *a, const char *project, const char *schema,
                                    struct prisma_project *p, struct err *e);

/*
 * The CLI below root's or a parent's node_modules (npm, pnpm, yarn with node_modules): prisma up to
 * 7, @prisma/prisma7; or the setting `prisma`, a program or a .js file for node.  Nothing is
 * started.  ERR_CHILD: no CLI, no node.  ERR_PREFLIGHT: major 8 or later, which has no
 * `migrate deploy` and no _prisma_migrations.
 */
MUST_CHECK bool prisma_project_cli(struct arena *a, const char *prisma, struct prisma_project *p,
                                   struct err *e);

#endif
