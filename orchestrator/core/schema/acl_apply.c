#include "core/schema/acl.h"

static const char *grantee_sql(struct arena *a, const char *role)
{
    return role[0] == '\0' ? "PUBLIC" : pg_ident(a, role);
}

/* Everything goes first.  Every chain of grants begins at the owner, as whom owner and superuser
 * act here: CASCADE takes what others have passed on. */
static bool revoke_all(struct arena *a, struct pg *db, const struct acl_change *c, struct err *e)
{
    for (size_t i = 0; i < c->have.count; i++)
        if (!pg_execf(db, e, "REVOKE ALL ON DATABASE %s FROM %s CASCADE", pg_ident(a, c->database),
                      grantee_sql(a, c->have.items[i].grantee)))
            return false;
    return true;
}

static bool grant_words(struct arena *a, struct pg *db, const struct acl_change *c,
                        const struct acl_item *item, bool grantable, struct err *e)
{
    const char *words = acl_words(a, item, grantable);
    return words[0] == '\0' ||
           pg_execf(db, e, "GRANT %s ON DATABASE %s TO %s%s", words, pg_ident(a, c->database),
                    grantee_sql(a, item->grantee), grantable ? " WITH GRANT OPTION" : "");
}

static bool grant_item(struct arena *a, struct pg *db, const struct acl_change *c,
                       const struct acl_item *item, struct err *e)
{
    /* GRANTED BY may only name the current role: to grant as another one is to become it. */
    const char *grantor = pg_ident(a, item->grantor);
    bool other = strcmp(item->grantor, c->owner) != 0;
    bool ok = !other || pg_execf(db, e, "SET LOCAL ROLE %s", grantor);
    ok = ok && grant_words(a, db, c, item, false, e) && grant_words(a, db, c, item, true, e) &&
         (!other || pg_exec(db, "RESET ROLE", e));
    if (!ok && other && strcmp(e->sqlstate, "42501") == 0)
        err_hint(e, "Run GRANT %s TO the connecting role, or give a role that may as admin-url.",
                 grantor);
    return ok || err_wrap(e, "could not grant to %s as %s", grantee_sql(a, item->grantee), grantor);
}

/* Who passes rights on must have got them before: the owner's grants first, then those of roles
 * that already have something that may be passed on. */
static bool grant_all(struct arena *a, struct pg *db, const struct acl_change *c, struct err *e)
{
    struct strlist grantors = strlist_on(a);
    bool *done = arena_array(a, c->want.count + 1, sizeof(*done));
    size_t left = c->want.count, before = 0;
    strlist_add(&grantors, c->owner);
    while (left > 0 && left != before) {
        before = left;
        for (size_t i = 0; i < c->want.count; i++) {
            const struct acl_item *item = &c->want.items[i];
            if (done[i] || !strlist_has(&grantors, item->grantor))
                continue;
            if (!grant_item(a, db, c, item, e))
                return false;
            if (strchr(item->privileges, '*') != NULL)
                strlist_add(&grantors, item->grantee);
            done[i] = true;
            left--;
        }
    }
    return left == 0 || err_set(e, ERR_DAMAGED, "a grantor of a right has no right to grant");
}

bool acl_apply(struct arena *a, struct pg *db, const struct acl_change *change, struct err *e)
{
    return acl_equal(&change->want, &change->have) ||
           (revoke_all(a, db, change, e) && grant_all(a, db, change, e));
}
