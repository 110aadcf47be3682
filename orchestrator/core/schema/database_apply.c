/*
 * Only what differs is touched.  The order: the owner first, because changing it
 * rewrites the access rights; everything else does not mind.
 */
#include "core/schema/acl.h"
#include "core/schema/database.h"
#include "core/schema/setting.h"

struct apply {
    struct arena *arena;
    struct pg *db;
    const char *target; /* quoted */
    const struct database_facts *want, *have;
};

/* Says which property failed, and what helps when a right was missing. */
static bool failed(const struct apply *s, struct err *e, const char *property, const char *right)
{
    if (strcmp(e->sqlstate, "42501") == 0 && e->hint[0] == '\0')
        err_hint(e, "%s, or give a role that may as admin-url.", right);
    return err_wrap(e, "could not set %s of database %s", property, s->target);
}

/* Moves files, cannot be part of a transaction. */
static bool apply_tablespace(const struct apply *s, struct err *e)
{
    if (str_same(s->want->tablespace, s->have->tablespace))
        return true;
    const char *name = pg_ident(s->arena, s->want->tablespace);
    return pg_execf(s->db, e, "ALTER DATABASE %s SET TABLESPACE %s", s->target, name) ||
           failed(s, e, "the tablespace",
                  arena_printf(s->arena, "Run GRANT CREATE ON TABLESPACE %s TO the connecting role",
                               name));
}

static bool apply_owner(const struct apply *s, struct err *e)
{
    if (str_same(s->want->owner, s->have->owner))
        return true;
    const char *owner = pg_ident(s->arena, s->want->owner);
    return pg_execf(s->db, e, "ALTER DATABASE %s OWNER TO %s", s->target, owner) ||
           failed(s, e, arena_printf(s->arena, "the owner %s", owner),
                  arena_printf(s->arena,
                               "Run GRANT %s TO the connecting role, which needs CREATEDB", owner));
}

static bool apply_acl(const struct apply *s, struct err *e)
{
    struct database_facts now;
    struct acl_change change = {.database = s->have->name, .owner = s->want->owner};
    /* Read again: a new owner has changed it. */
    if (!database_read(s->arena, s->db, s->have->name, &now, e) ||
        !acl_parse(s->arena, s->want->acl, s->want->owner, &change.want, e) ||
        !acl_parse(s->arena, now.acl, now.owner, &change.have, e))
        return false;
    return acl_apply(s->arena, s->db, &change, e) ||
           failed(s, e, "the access rights", "Only its owner may");
}

static bool apply_comment(const struct apply *s, struct err *e)
{
    return str_same(s->want->comment, s->have->comment) ||
           pg_execf(s->db, e, "COMMENT ON DATABASE %s IS %s", s->target,
                    pg_literal(s->arena, s->want->comment)) ||
           failed(s, e, "the comment", "Only its owner may");
}

static bool apply_limit(const struct apply *s, struct err *e)
{
    return s->want->connection_limit == s->have->connection_limit ||
           pg_execf(s->db, e, "ALTER DATABASE %s CONNECTION LIMIT %lld", s->target,
                    (long long)s->want->connection_limit) ||
           failed(s, e, "the connection limit", "Only its owner may");
}

/* whose: "ALTER DATABASE x" or "ALTER ROLE r IN DATABASE x". */
static bool set_one(const struct apply *s, const char *whose, const char *item, bool reset,
                    struct err *e)
{
    size_t n = strcspn(item, "=");
    if (item[n] == '\0')
        return err_set(e, ERR_DAMAGED, "\"%s\" is not a setting", item);
    const char *name = arena_strndup(s->arena, item, n), *quoted = pg_ident(s->arena, name);
    bool ok = reset ? pg_execf(s->db, e, "%s RESET %s", whose, quoted)
                    : pg_execf(s->db, e, "%s SET %s TO %s", whose, quoted,
                               setting_value(s->arena, name, item + n + 1));
    const char *right = arena_printf(
        s->arena, "Run GRANT SET ON PARAMETER %s TO the connecting role (from PostgreSQL 15 on)%s",
        quoted,
        strstr(whose, "ROLE") == whose + 6 ? ", which must also have the right to alter that role"
                                           : "");
    return ok || failed(s, e, arena_printf(s->arena, "setting \"%s\" (%s)", name, whose), right);
}

/* Where the setting begins in an item: behind "role\n" when the list is one of roles. */
static const char *setting_of(const char *item, bool of_roles)
{
    const char *cut = of_roles ? strchr(item, '\n') : NULL;
    return cut == NULL ? item : cut + 1;
}

/* Does the list set what this item sets, to whatever value? */
static bool list_sets(const struct strlist *list, const char *item, bool of_roles)
{
    const char *setting = setting_of(item, of_roles);
    size_t n = (size_t)(setting - item) + strcspn(setting, "=") + 1;
    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->items[i], item, n) == 0)
            return true;
    return false;
}

static bool apply_settings(const struct apply *s, bool of_roles, struct err *e)
{
    const struct strlist *want = of_roles ? &s->want->role_settings : &s->want->settings;
    const struct strlist *have = of_roles ? &s->have->role_settings : &s->have->settings;
    for (size_t i = 0; i < have->count + want->count; i++) {
        bool reset = i < have->count;
        const char *item = reset ? have->items[i] : want->items[i - have->count];
        if (reset ? list_sets(want, item, of_roles) : strlist_has(have, item))
            continue;
        const char *setting = setting_of(item, of_roles);
        const char *whose = arena_printf(s->arena, "ALTER DATABASE %s", s->target);
        if (setting != item) {
            const char *role = arena_strndup(s->arena, item, (size_t)(setting - item) - 1);
            whose = arena_printf(s->arena, "ALTER ROLE %s IN DATABASE %s", pg_ident(s->arena, role),
                                 s->target);
        }
        if (!set_one(s, whose, setting, reset, e))
            return false;
    }
    return true;
}

static bool apply_labels(const struct apply *s, struct err *e)
{
    const struct strlist *want = &s->want->security_labels, *have = &s->have->security_labels;
    for (size_t i = 0; i < have->count + want->count; i++) {
        bool gone = i < have->count;
        const char *item = gone ? have->items[i] : want->items[i - have->count];
        const char *cut = strchr(item, '\n');
        if (cut == NULL || strlist_has(gone ? want : have, item))
            continue;
        const char *provider =
            pg_ident(s->arena, arena_strndup(s->arena, item, (size_t)(cut - item)));
        if (!pg_execf(s->db, e, "SECURITY LABEL FOR %s ON DATABASE %s IS %s", provider, s->target,
                      gone ? "NULL" : pg_literal(s->arena, cut + 1)))
            return failed(s, e, arena_printf(s->arena, "the security label of %s", provider),
                          "Only its owner may");
    }
    return true;
}

static bool apply_all(const struct apply *s, struct err *e)
{
    return pg_exec(s->db, "BEGIN", e) && apply_owner(s, e) && apply_acl(s, e) &&
           apply_comment(s, e) && apply_limit(s, e) && apply_settings(s, false, e) &&
           apply_settings(s, true, e) && apply_labels(s, e) && pg_exec(s->db, "COMMIT", e);
}

/* Only a warning comes of GRANT by someone who has nothing to grant: what counts is what is there.
 */
static bool check(const struct apply *s, struct err *e)
{
    struct database_facts now;
    if (!database_read(s->arena, s->db, s->have->name, &now, e))
        return false;
    now.encoding = s->want->encoding;
    now.collate = s->want->collate;
    now.ctype = s->want->ctype;
    now.locale_provider = s->want->locale_provider;
    now.icu_locale = s->want->icu_locale;
    now.icu_rules = s->want->icu_rules;
    struct strlist left = database_difference(s->arena, s->want, &now);
    if (left.count == 0)
        return true;
    return err_set(e, ERR_QUERY, "properties of database %s could not all be set: %s", s->target,
                   strlist_join(&left, "; "));
}

bool database_apply(struct arena *a, struct pg *maintenance, const char *target,
                    const struct database_facts *f, struct err *e)
{
    struct database_facts have;
    struct apply s = {a, maintenance, pg_ident(a, target), f, &have};
    if (!database_read(a, maintenance, target, &have, e) || !apply_tablespace(&s, e))
        return false;
    if (!apply_all(&s, e)) {
        struct err ignored = {0};
        if (!pg_exec(maintenance, "ROLLBACK", &ignored))
            err_detail(e, "The session could not be used again: %s.", ignored.message);
        return false;
    }
    return check(&s, e);
}
