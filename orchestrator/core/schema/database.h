/*
 * database.h - what a database has outside of its dump: owner, ACL, comment,
 * connection limit, settings, settings of roles in it, encoding, locale.
 *
 * A restored side database gets them before the swap (database_apply), from the
 * manifest: as they were before the fence and the migration touched them.
 */
#ifndef MIGSAFE_CORE_SCHEMA_DATABASE_H
#define MIGSAFE_CORE_SCHEMA_DATABASE_H

#include "base/str.h"
#include "ext/json.h"
#include "ext/pg.h"

struct database_facts {
    const char *name, *oid, *owner;
    const char *encoding, *collate, *ctype;
    const char *locale_provider; /* "c", "i", "b" as pg_database has it; "c" before 15 */
    const char *icu_locale;      /* datlocale since 17; NULL: none */
    const char *icu_rules;       /* since 16; NULL: none */
    const char *tablespace;
    const char *comment; /* NULL: none */
    const char *acl;     /* datacl as text; NULL: the default */
    int64_t connection_limit;
    int64_t bytes;                  /* -1: this role may not ask */
    struct strlist settings;        /* "work_mem=64MB", in their order */
    struct strlist role_settings;   /* "role\nsetting=value", by role */
    struct strlist security_labels; /* "provider\nlabel", sorted */
};

/* Of the database called name, through any session of the server. ERR_CONNECT with 3D000 when it
 * does not exist. */
MUST_CHECK bool database_read(struct arena *a, struct pg *db, const char *name,
                              struct database_facts *f, struct err *e);

/* Gives database `target` everything but name, oid, encoding and locale of f, and reads it back:
 * all of it in one transaction of its own, but for the tablespace.  What is right already is not
 * touched, so it is idempotent and a plain owner can carry over what a superuser once set.  The
 * error names the property, and in its hint what to grant (42501). */
MUST_CHECK bool database_apply(struct arena *a, struct pg *maintenance, const char *target,
                               const struct database_facts *f, struct err *e);
/* What differs between two, for people: "owner: a, was b". Name, oid and bytes do not count; an
 * absent ACL equals the default one written out. */
struct strlist database_difference(struct arena *a, const struct database_facts *was,
                                   const struct database_facts *is);

void database_json(const struct database_facts *f, struct json *to);
/* ERR_DAMAGED; texts are copied. */
MUST_CHECK bool database_from_json(struct arena *a, const struct json *j, struct database_facts *f,
                                   struct err *e);

#endif
