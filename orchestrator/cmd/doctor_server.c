#include "cmd/doctor.h"

#include "sql/queries.h"

enum { OLDEST_SERVER = 120000, NEWEST_KNOWN_MAJOR = 18, VERSION_UNIT = 10000, QUERY_MS = 20000 };

void doctor_settings(struct doctor *d)
{
    const struct settings *s = d->settings;
    doctor_ok(d, "settings", "%s%s%s", s->file ? s->file : "no migsafe.json",
              s->dotenv.count ? ", " : "", strlist_join(&s->dotenv, ", "));
}

static void judge_pooled(struct doctor *d)
{
    struct err e = {0};
    if (!d->site.live.pooled)
        return;
    err_set(&e, ERR_PREFLIGHT, "the URL goes through a connection pooler (%s)",
            d->site.live.pooled_why);
    err_detail(&e, "Locks, pg_dump and the settings of a session need a connection of their own.");
    err_hint(&e, "Set direct-url (DIRECT_URL) to the URL of the server itself.");
    doctor_error(d, "pooler", &e);
}

void doctor_url(struct doctor *d)
{
    struct err e = {0};
    const struct settings *s = d->settings;
    if (!site_read(d->arena, s, &d->site, &e)) {
        d->site.url = NULL;
        doctor_error(d, "url", &e);
        return;
    }
    const struct strlist lists[] = {d->site.live.warnings, d->site.server.warnings};
    doctor_ok(d, "url", "%s (%s, from %s)%s", connection_label(d->arena, &d->site.live),
              s->direct_url ? "direct-url" : "url",
              settings_source_name(s->direct_url ? s->from.direct_url : s->from.url),
              d->site.has_admin ? "; admin-url is of the same server" : "");
    for (size_t i = 0; i < (d->site.has_admin ? 2 : 1); i++)
        for (size_t k = 0; k < lists[i].count; k++) {
            err_set(&e, ERR_CONFIG, "%s", lists[i].items[k]);
            doctor_warning(d, "url", &e);
        }
    judge_pooled(d);
}

static void judge_version(struct doctor *d, const char *version)
{
    struct err e = {0};
    if (d->server_version < OLDEST_SERVER) {
        err_set(&e, ERR_PREFLIGHT, "PostgreSQL %s is too old", version);
        err_hint(&e, "migsafe needs PostgreSQL 12 or later.");
        doctor_error(d, "server", &e);
    } else if (d->server_version / VERSION_UNIT > NEWEST_KNOWN_MAJOR) {
        err_set(&e, ERR_PREFLIGHT, "PostgreSQL %s is newer than what migsafe was tried with",
                version);
        doctor_warning(d, "server", &e);
    } else {
        doctor_ok(d, "server", "PostgreSQL %s, database of %s", version,
                  d->database_bytes < 0 ? "unknown size" : str_bytes(d->arena, d->database_bytes));
    }
}

void doctor_server(struct doctor *d)
{
    struct err e = {0};
    const struct session_use use = {.application_name = "migsafe doctor",
                                    .statement_timeout_ms = QUERY_MS,
                                    .query_deadline_ms = QUERY_MS};
    if (d->site.url == NULL)
        return;
    d->live = connection_open(&d->site.live, &use, &e);
    const char *version =
        d->live == NULL
            ? NULL
            : pg_value(d->arena, d->live, "SELECT current_setting('server_version')", PG_NONE, &e);
    if (version == NULL) {
        doctor_error(d, "server", &e);
        return;
    }
    d->server_version = pg_server_version(d->live);
    const char *bytes =
        pg_value(d->arena, d->live, "SELECT pg_database_size(current_database())", PG_NONE, &e);
    if (bytes != NULL)
        d->database_bytes = strtoll(bytes, NULL, 10);
    judge_version(d, version);
}

void doctor_maintenance(struct doctor *d)
{
    struct err e = {0};
    if (d->live == NULL)
        return;
    const struct session_use use = {.application_name = "migsafe doctor",
                                    .statement_timeout_ms = QUERY_MS,
                                    .query_deadline_ms = QUERY_MS};
    d->maintenance =
        connection_open_maintenance(&d->site.server, d->settings->maintenance_database, &use, &e);
    const char *name = d->maintenance == NULL ? NULL
                                              : pg_value(d->arena, d->maintenance,
                                                         "SELECT current_database()", PG_NONE, &e);
    if (name == NULL)
        doctor_error(d, "maintenance", &e);
    else
        doctor_ok(d, "maintenance", "database \"%s\" can be used for work on databases", name);
}

static void refuse(struct doctor *d, const char *message, const char *hint)
{
    struct err e = {0};
    err_set(&e, ERR_PREFLIGHT, "%s", message);
    err_hint(&e, "%s", hint);
    doctor_error(d, "role", &e);
}

static void warn(struct doctor *d, const char *message, const char *hint)
{
    struct err e = {0};
    err_set(&e, ERR_PREFLIGHT, "%s", message);
    err_hint(&e, "%s", hint);
    doctor_warning(d, "role", &e);
}

/* Without a swap a way back may be in place; whether it works, only --drill can tell. */
static void no_swap(struct doctor *d, const char *what, const char *hint)
{
    bool in_place = strcmp(d->settings->way_back, "auto") == 0;
    (in_place ? warn : refuse)(
        d,
        arena_printf(d->arena, "%s%s", what,
                     in_place ? ": a way back would be one transaction in the database itself"
                              : ", which a rollback needs"),
        arena_printf(d->arena, "%s%s", hint,
                     in_place ? " `migsafe doctor --drill` tells whether it works without." : ""));
}

/* A rollback makes a database, renames two and ends sessions. */
static void judge_rights(struct doctor *d, const struct pg_rows *rows)
{
    const char *role = pg_cell(rows, 0, "role"), *owner = pg_cell(rows, 0, "owner");
    const char *ident = pg_ident(d->arena, role);
    if (pg_cell_bool(rows, 0, "superuser")) {
        doctor_ok(d, "role", "%s is a superuser", role);
        return;
    }
    bool may_create = pg_cell_bool(rows, 0, "createdb"), owns = pg_cell_bool(rows, 0, "owns");
    if (!may_create)
        no_swap(d, arena_printf(d->arena, "role %s may not create databases", role),
                arena_printf(d->arena, "Run ALTER ROLE %s CREATEDB, or set admin-url.", ident));
    if (!owns)
        no_swap(d,
                arena_printf(d->arena, "role %s may not rename the database, not being its owner",
                             role),
                arena_printf(d->arena, "It belongs to %s: set admin-url to a role with its rights.",
                             owner));
    if (!pg_cell_bool(rows, 0, "may_signal"))
        warn(d, arena_printf(d->arena, "role %s may not end sessions of other roles", role),
             arena_printf(d->arena, "Run GRANT pg_signal_backend TO %s.", ident));
    if (!pg_cell_bool(rows, 0, "may_see"))
        warn(d, arena_printf(d->arena, "role %s does not see what other roles' sessions do", role),
             arena_printf(d->arena, "Run GRANT pg_monitor TO %s.", ident));
    if (may_create && owns)
        doctor_ok(d, "role", "%s may create databases and rename this one", role);
}

void doctor_role(struct doctor *d)
{
    struct err e = {0};
    struct pg_rows rows;
    if (d->live == NULL)
        return;
    const struct session_use use = {.application_name = "migsafe doctor",
                                    .query_deadline_ms = QUERY_MS};
    AUTO(pg)
    struct pg *admin = d->site.has_admin ? connection_open(&d->site.server, &use, &e) : NULL;
    if (d->site.has_admin && admin == NULL) {
        err_wrap(&e, "admin-url");
        doctor_error(d, "role", &e);
        return;
    }
    if (!pg_query(d->arena, admin == NULL ? d->live : admin, sql_doctor_role,
                  PG_ARGS(d->site.live.dbname), &rows, &e))
        doctor_error(d, "role", &e);
    else
        judge_rights(d, &rows);
}
