/*
 * acl.h - access rights of a database as text (pg_database.datacl): read, compared,
 * set.  An item is GRANTEE=LETTERS/GRANTOR, without a grantee for PUBLIC:
 *
 *     {=Tc/owner,owner=CTc/owner,"\"odd name\"=c/owner"}
 *
 * The same text comes from the server and from a manifest.
 */
#ifndef MIGSAFE_CORE_SCHEMA_ACL_H
#define MIGSAFE_CORE_SCHEMA_ACL_H

#include "base/str.h"
#include "ext/pg.h"

struct acl_item {
    const char *grantee;    /* "": PUBLIC */
    const char *grantor;    /* a role */
    const char *privileges; /* letters, "*" after one that may be passed on: "CTc*" */
};

struct acl {
    struct acl_item *items;
    size_t count;
};

/* text NULL: what a database of this owner has by default.  False with ERR_DAMAGED. */
MUST_CHECK bool acl_parse(struct arena *a, const char *text, const char *owner, struct acl *acl,
                          struct err *e);
/* The same rights, whatever the order. */
bool acl_equal(const struct acl *a, const struct acl *b);

struct acl_change {
    const char *database, *owner; /* names */
    struct acl want, have;
};
/* Makes the rights of a database exactly these, grantors included, in the caller's transaction;
 * nothing when they are equal.  ERR_QUERY: a role is gone, or (42501) a grant of another grantor
 * needs membership in that role. */
MUST_CHECK bool acl_apply(struct arena *a, struct pg *db, const struct acl_change *change,
                          struct err *e);

/* "CREATE, CONNECT": those of the item that may (or may not) be passed on; "" when there are none.
 */
char *acl_words(struct arena *a, const struct acl_item *item, bool grantable) RETURNS_NONNULL;

#endif
