/*
 * roles.h - the roles that an archive and its database name: a dump holds none of them, the server
 * has to have them.
 */
#ifndef MIGSAFE_CORE_RESTORE_ROLES_H
#define MIGSAFE_CORE_RESTORE_ROLES_H

#include "core/backup/toc.h"
#include "core/schema/database.h"

struct roles_spec {
    const struct toc *toc;              /* NULL: what it names is not known */
    const struct database_facts *facts; /* of the database; its encoding is the archive's */
    bool no_owner, no_acl;              /* what is left out needs no role */
};

/* ERR_PREFLIGHT names those that the server lacks. */
MUST_CHECK bool roles_exist(struct arena *a, struct pg *db, const struct roles_spec *spec,
                            struct err *e);
/* ERR_PREFLIGHT names owners that the session's role cannot make things for. */
MUST_CHECK bool roles_usable(struct arena *a, struct pg *db, const struct roles_spec *spec,
                             struct err *e);

/* Roles that a GRANT, REVOKE, ALTER DEFAULT PRIVILEGES or CREATE POLICY names, as pg_dump writes
 * them, added to `names` unless they are there. */
void roles_of_statement(struct strlist *names, const char *sql);

#endif
