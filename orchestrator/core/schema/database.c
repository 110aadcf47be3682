#include "core/schema/database.h"

#include "core/schema/acl.h"
#include "sql/queries.h"

static bool read_lists(struct arena *a, struct pg *db, struct database_facts *f, struct err *e)
{
    struct pg_rows rows;
    f->settings = strlist_on(a);
    f->role_settings = strlist_on(a);
    f->security_labels = strlist_on(a);
    if (!pg_query(a, db, sql_database_settings, PG_ARGS(f->oid), &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const char *role = pg_cell(&rows, i, "role"), *setting = pg_cell(&rows, i, "setting");
        if (role == NULL)
            strlist_add(&f->settings, setting);
        else
            strlist_printf(&f->role_settings, "%s\n%s", role, setting);
    }
    if (!pg_query(a, db, sql_database_labels, PG_ARGS(f->oid), &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        strlist_printf(&f->security_labels, "%s\n%s", pg_cell(&rows, i, "provider"),
                       pg_cell(&rows, i, "label"));
    return true;
}

bool database_read(struct arena *a, struct pg *db, const char *name, struct database_facts *f,
                   struct err *e)
{
    struct pg_rows rows;
    *f = (struct database_facts){0};
    if (!pg_query(a, db, sql_database_facts, PG_ARGS(name), &rows, e))
        return err_wrap(e, "could not read the properties of database \"%s\"", name);
    if (rows.count == 0) {
        err_set(e, ERR_CONNECT, "database \"%s\" does not exist", name);
        snprintf(e->sqlstate, sizeof(e->sqlstate), "3D000");
        return false;
    }
    f->name = pg_cell(&rows, 0, "datname");
    f->oid = pg_cell(&rows, 0, "oid");
    f->owner = pg_cell(&rows, 0, "owner");
    f->encoding = pg_cell(&rows, 0, "encoding");
    f->collate = pg_cell(&rows, 0, "datcollate");
    f->ctype = pg_cell(&rows, 0, "datctype");
    f->locale_provider = pg_cell(&rows, 0, "locale_provider");
    f->icu_locale = pg_cell(&rows, 0, "icu_locale");
    f->icu_rules = pg_cell(&rows, 0, "icu_rules");
    f->tablespace = pg_cell(&rows, 0, "spcname");
    f->comment = pg_cell(&rows, 0, "comment");
    f->acl = pg_cell(&rows, 0, "acl");
    f->connection_limit = pg_cell_int(&rows, 0, "datconnlimit");
    f->bytes = pg_cell_int(&rows, 0, "bytes");
    return read_lists(a, db, f, e) ||
           err_wrap(e, "could not read the properties of database \"%s\"", name);
}

static void differ(struct strlist *out, const char *what, const char *was, const char *is)
{
    if (!str_same(was, is))
        strlist_printf(out, "%s: %s, was %s", what, is == NULL ? "none" : is,
                       was == NULL ? "none" : was);
}

static bool same_acl(struct arena *a, const struct database_facts *was,
                     const struct database_facts *is)
{
    struct acl x, y;
    struct err ignored = {0};
    return str_same(was->acl, is->acl) ||
           (acl_parse(a, was->acl, was->owner, &x, &ignored) &&
            acl_parse(a, is->acl, is->owner, &y, &ignored) && acl_equal(&x, &y));
}

/* "role\nsetting=value" for people. */
static const char *readable(struct arena *a, const char *item)
{
    const char *cut = strchr(item, '\n');
    return cut == NULL ? item : arena_printf(a, "%.*s: %s", (int)(cut - item), item, cut + 1);
}

static void differ_lists(struct strlist *out, const char *what, const struct strlist *was,
                         const struct strlist *is)
{
    for (size_t i = 0; i < was->count; i++)
        if (!strlist_has(is, was->items[i]))
            strlist_printf(out, "%s gone: %s", what, readable(out->arena, was->items[i]));
    for (size_t i = 0; i < is->count; i++)
        if (!strlist_has(was, is->items[i]))
            strlist_printf(out, "%s new: %s", what, readable(out->arena, is->items[i]));
}

struct strlist database_difference(struct arena *a, const struct database_facts *was,
                                   const struct database_facts *is)
{
    struct strlist out = strlist_on(a);
    differ(&out, "owner", was->owner, is->owner);
    differ(&out, "encoding", was->encoding, is->encoding);
    differ(&out, "collate", was->collate, is->collate);
    differ(&out, "ctype", was->ctype, is->ctype);
    differ(&out, "locale provider", was->locale_provider, is->locale_provider);
    differ(&out, "ICU locale", was->icu_locale, is->icu_locale);
    differ(&out, "ICU rules", was->icu_rules, is->icu_rules);
    differ(&out, "tablespace", was->tablespace, is->tablespace);
    differ(&out, "comment", was->comment, is->comment);
    if (!same_acl(a, was, is))
        strlist_printf(&out, "access rights: %s, was %s", is->acl == NULL ? "default" : is->acl,
                       was->acl == NULL ? "default" : was->acl);
    if (was->connection_limit != is->connection_limit)
        strlist_printf(&out, "connection limit: %lld, was %lld", (long long)is->connection_limit,
                       (long long)was->connection_limit);
    differ_lists(&out, "setting", &was->settings, &is->settings);
    differ_lists(&out, "setting of a role", &was->role_settings, &is->role_settings);
    differ_lists(&out, "security label", &was->security_labels, &is->security_labels);
    return out;
}
