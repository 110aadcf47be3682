#include "core/restore/side.h"

#include "base/clock.h"
#include "base/stop.h"
#include "ext/digest.h"
#include "sql/queries.h"

enum { NAME_MAX_BYTES = 63, HASH_DIGITS = 8 };

static const char infix[] = "__migsafe_";

char *side_name(struct arena *a, const char *live, const char *purpose, const char *run)
{
    const char *tail = arena_printf(a, "%s%s_%s", infix, purpose, run);
    size_t tail_length = strlen(tail), room = tail_length < NAME_MAX_BYTES - HASH_DIGITS - 2
                                                  ? NAME_MAX_BYTES - tail_length
                                                  : HASH_DIGITS + 2;
    char *base = arena_strdup(a, live);
    for (char *p = base; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
        else if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')))
            *p = '_';
    }
    /* A name must not begin with a digit to stay plain; it then counts as changed. */
    if (base[0] >= '0' && base[0] <= '9')
        base[0] = '_';
    if (strcmp(base, live) == 0 && strlen(base) <= room)
        return arena_printf(a, "%s%s", base, tail);
    const char *hash = digest_sha256(a, live, strlen(live));
    return arena_printf(a, "%.*s_%.*s%s", (int)(room - HASH_DIGITS - 1), base, HASH_DIGITS, hash,
                        tail);
}

char *side_comment(struct arena *a, const char *purpose, const char *live, const char *run,
                   const char *former)
{
    return arena_printf(a, "migsafe %s of %s run %s at %s%s%s", purpose, live, run,
                        clock_rfc3339(a), former == NULL ? "" : "\n", former == NULL ? "" : former);
}

bool side_kept_name(struct arena *a, struct pg *maintenance, const char *live, const char *run,
                    const char **name, struct err *e)
{
    const char *purpose = "kept";
    for (int again = 2;; again++) {
        struct pg_rows rows;
        *name = side_name(a, live, purpose, run);
        if (!pg_query(a, maintenance, "SELECT FROM pg_database WHERE datname = $1", PG_ARGS(*name),
                      &rows, e))
            return err_wrap(e, "could not look for a name for the database that is kept");
        if (rows.count == 0)
            return true;
        purpose = arena_printf(a, "kept_%d", again);
    }
}

/* Cuts the last "separator" and what follows off text; returns what followed, NULL without one. */
static char *cut_last(char *text, const char *separator)
{
    char *found = NULL;
    for (char *p = strstr(text, separator); p != NULL; p = strstr(p + 1, separator))
        found = p;
    if (found == NULL)
        return NULL;
    *found = '\0';
    return found + strlen(separator);
}

bool side_parse(struct arena *a, const char *comment, struct side_database *out)
{
    if (comment == NULL || !str_starts(comment, "migsafe "))
        return false;
    char *mark = arena_strdup(a, comment + strlen("migsafe "));
    char *former = strchr(mark, '\n');
    if (former != NULL)
        *former++ = '\0';
    /* From the end: a live name may hold " run " itself, stamp and run never hold a blank. */
    char *made_at = cut_last(mark, " at "), *run = cut_last(mark, " run ");
    char *live = strstr(mark, " of ");
    if (made_at == NULL || run == NULL || live == NULL || strchr(run, ' ') != NULL ||
        clock_parse_rfc3339(made_at) < 0)
        return false;
    *live = '\0';
    out->purpose = mark;
    out->live = live + strlen(" of ");
    out->run = run;
    out->made_at = made_at;
    out->former_comment = former;
    return true;
}

static char *create_command(struct arena *a, const char *name, const struct database_facts *like)
{
    struct str s = str_on(a);
    str_printf(&s, "CREATE DATABASE %s TEMPLATE template0 ENCODING %s LC_COLLATE %s LC_CTYPE %s",
               pg_ident(a, name), pg_literal(a, like->encoding), pg_literal(a, like->collate),
               pg_literal(a, like->ctype));
    const char *locale = like->locale_provider == NULL ? "c" : like->locale_provider;
    char provider = locale[0];
    if (provider == 'i' && like->icu_locale != NULL)
        str_printf(&s, " LOCALE_PROVIDER icu ICU_LOCALE %s", pg_literal(a, like->icu_locale));
    else if (provider == 'b' && like->icu_locale != NULL)
        str_printf(&s, " LOCALE_PROVIDER builtin BUILTIN_LOCALE %s",
                   pg_literal(a, like->icu_locale));
    if (provider == 'i' && like->icu_rules != NULL)
        str_printf(&s, " ICU_RULES %s", pg_literal(a, like->icu_rules));
    /* Naming pg_default would ask for a right on it that template0's own tablespace does not. */
    if (like->tablespace != NULL && strcmp(like->tablespace, "pg_default") != 0)
        str_printf(&s, " TABLESPACE %s", pg_ident(a, like->tablespace));
    return s.text;
}

/* A right is missing: that is for preflight, with what to grant. */
static void create_refused(struct arena *a, struct pg *db, const struct database_facts *like,
                           struct err *e)
{
    if (strcmp(e->sqlstate, "42501") != 0)
        return;
    struct err ignored = {0};
    const char *role = pg_value(a, db, "SELECT current_user", PG_NONE, &ignored);
    const char *quoted = role == NULL ? "the role" : pg_ident(a, role);
    e->kind = ERR_PREFLIGHT;
    if (strstr(e->message, "tablespace") != NULL)
        err_hint(e, "Run GRANT CREATE ON TABLESPACE %s TO %s, or set admin-url to a role that may.",
                 pg_ident(a, like->tablespace), quoted);
    else
        err_hint(e, "Run ALTER ROLE %s CREATEDB, or set admin-url to a role that has CREATEDB.",
                 quoted);
}

static void drop_half_made(struct arena *a, struct pg *maintenance, const char *name)
{
    struct err ignored = {0};
    stop_shield(true);
    (void)!pg_execf(maintenance, &ignored, "DROP DATABASE IF EXISTS %s", pg_ident(a, name));
    stop_shield(false);
}

/* Marked, and closed to PUBLIC. */
static bool mark(struct arena *a, struct pg *maintenance, const struct side_spec *spec,
                 struct err *e)
{
    const char *quoted = pg_ident(a, spec->name);
    if (pg_execf(
            maintenance, e, "COMMENT ON DATABASE %s IS %s", quoted,
            pg_literal(a, side_comment(a, spec->purpose, spec->like->name, spec->run, NULL))) &&
        pg_execf(maintenance, e, "REVOKE CONNECT ON DATABASE %s FROM PUBLIC", quoted))
        return true;
    drop_half_made(a, maintenance, spec->name);
    return err_wrap(e, "could not mark side database \"%s\"", spec->name);
}

bool side_create(struct arena *a, struct pg *maintenance, const struct side_spec *spec,
                 struct err *e)
{
    const char *name = spec->name;
    const struct database_facts *like = spec->like;
    if (!pg_exec(maintenance, create_command(a, name, like), e)) {
        create_refused(a, maintenance, like, e);
        /* Ended by us, it may have been made all the same. */
        if (e->kind == ERR_CANCELLED || e->kind == ERR_TIMEOUT)
            drop_half_made(a, maintenance, name);
        return err_wrap(e, "could not create side database \"%s\"", name);
    }
    return mark(a, maintenance, spec, e);
}

bool side_copy(struct arena *a, struct pg *maintenance, const struct side_spec *spec,
               const char *from, bool by_files, struct err *e)
{
    bool choice = by_files && pg_server_version(maintenance) >= 150000;
    if (!pg_execf(maintenance, e, "CREATE DATABASE %s TEMPLATE %s%s", pg_ident(a, spec->name),
                  pg_ident(a, from), choice ? " STRATEGY file_copy" : "")) {
        if (e->kind == ERR_CANCELLED || e->kind == ERR_TIMEOUT)
            drop_half_made(a, maintenance, spec->name);
        return err_wrap(e, "could not copy database \"%s\"", from);
    }
    return mark(a, maintenance, spec, e);
}

bool side_allow(struct arena *a, struct pg *maintenance, const char *name, bool allow,
                struct err *e)
{
    return pg_execf(maintenance, e, "ALTER DATABASE %s ALLOW_CONNECTIONS %s", pg_ident(a, name),
                    allow ? "true" : "false");
}

/* A drop is for ever: whoever has computed a wrong name must not lose a database by it. */
static bool is_ours(struct arena *a, struct pg *db, const char *name, bool *exists, struct err *e)
{
    struct pg_rows rows;
    struct side_database ignored;
    if (!pg_query(a, db,
                  "SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database"
                  " WHERE datname = $1",
                  PG_ARGS(name), &rows, e))
        return false;
    *exists = rows.count > 0;
    if (!*exists || side_parse(a, pg_cell(&rows, 0, "comment"), &ignored) ||
        strstr(name, infix) != NULL)
        return true;
    return err_set(e, ERR_INTERNAL, "database \"%s\" is not one of migsafe's", name);
}

/* WITH (FORCE) is of 13. */
static bool drop(struct arena *a, struct pg *db, const char *name, struct err *e)
{
    struct pg_rows ignored;
    if (pg_server_version(db) >= 130000)
        return pg_execf(db, e, "DROP DATABASE IF EXISTS %s WITH (FORCE)", pg_ident(a, name));
    return pg_query(a, db,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                    PG_ARGS(name), &ignored, e) &&
           pg_execf(db, e, "DROP DATABASE IF EXISTS %s", pg_ident(a, name));
}

bool side_drop(struct arena *a, struct pg *maintenance, const char *name, struct err *e)
{
    bool exists;
    if (!is_ours(a, maintenance, name, &exists, e) || (exists && !drop(a, maintenance, name, e)))
        return err_wrap(e, "could not drop database \"%s\"", name);
    return true;
}

bool side_drop_after(struct arena *a, struct pg *maintenance, const char *name, bool ok,
                     struct err *e)
{
    struct err why = {0};
    stop_shield(true);
    bool dropped = side_drop(a, maintenance, name, &why);
    stop_shield(false);
    if (!dropped && ok)
        *e = why;
    else if (!dropped)
        err_detail(e, "%s",
                   arena_printf(a, "%s%sDatabase \"%s\" is left: %s.", e->detail,
                                e->detail[0] ? " " : "", name, why.message));
    return ok && dropped;
}

bool side_list(struct arena *a, struct pg *maintenance, const char *live,
               struct side_database **items, size_t *count, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, maintenance, sql_side_list, PG_NONE, &rows, e))
        return err_wrap(e, "could not list migsafe's databases");
    *items = arena_array(a, rows.count + 1, sizeof(**items));
    *count = 0;
    for (size_t i = 0; i < rows.count; i++) {
        struct side_database *side = &(*items)[*count];
        if (!side_parse(a, pg_cell(&rows, i, "comment"), side) ||
            (live != NULL && strcmp(live, side->live) != 0))
            continue;
        side->name = pg_cell(&rows, i, "name");
        side->oid = pg_cell(&rows, i, "oid");
        side->bytes = pg_cell_int(&rows, i, "bytes");
        side->open = pg_cell_bool(&rows, i, "open");
        ++*count;
    }
    return true;
}

char *side_drop_command(struct arena *a, const char *name)
{
    return arena_printf(a, "DROP DATABASE %s;", pg_ident(a, name));
}
