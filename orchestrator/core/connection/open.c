#include "core/connection/connection.h"

#include <unistd.h>

struct connection connection_to(const struct connection *c, const char *dbname)
{
    struct connection other = *c;
    other.dbname = dbname;
    return other;
}

char *connection_label(struct arena *a, const struct connection *c)
{
    bool is_ipv6 = strchr(c->host, ':') != NULL;
    return arena_printf(a, "%s at %s%s%s:%s", c->dbname, is_ipv6 ? "[" : "", c->host,
                        is_ipv6 ? "]" : "", c->port);
}

void connection_ignore_environment(void)
{
    AUTO(arena) struct arena *a = arena_new();
    struct strlist names = strlist_on(a);
    for (char **p = environ; *p != NULL; p++)
        if (str_starts(*p, "PG"))
            strlist_add(&names, arena_strndup(a, *p, strcspn(*p, "=")));
    for (size_t i = 0; i < names.count; i++)
        unsetenv(names.items[i]);
}

struct pg *connection_open(const struct connection *c, const struct session_use *use, struct err *e)
{
    const struct pg_keyword keywords[] = {
        {"host", c->host},
        {"port", c->port},
        {"user", c->user},
        {"password", c->password},
        {"dbname", c->dbname},
        {"sslmode", c->sslmode},
        {"sslrootcert", c->sslrootcert},
        {"channel_binding", c->channel_binding},
        {"options", c->options},
        {"application_name", use->application_name ? use->application_name : "migsafe"},
        {NULL, NULL},
    };
    const struct pg_params params = {
        .keywords = keywords,
        .connect_timeout_ms = c->connect_timeout_s * 1000,
        .statement_timeout_ms = use->statement_timeout_ms,
        .lock_timeout_ms = use->lock_timeout_ms,
        .query_deadline_ms = use->query_deadline_ms,
    };
    struct pg *db = pg_open(&params, e);
    if (db == NULL && e->kind != ERR_CANCELLED) {
        AUTO(arena) struct arena *a = arena_new();
        err_wrap(e, "could not connect to %s", connection_label(a, c));
    }
    return db;
}

/* The server answered and it is about this database, not about the login. */
static bool is_about_database(const struct err *e)
{
    static const char *const words[] = {"permission denied for database", "no pg_hba.conf entry",
                                        "not currently accepting connections"};
    if (e->kind != ERR_CONNECT || strcmp(e->sqlstate, "3D000") == 0)
        return e->kind == ERR_CONNECT;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(e->message, words[i]) != NULL)
            return true;
    return false;
}

struct pg *connection_open_maintenance(const struct connection *c, const char *setting,
                                       const struct session_use *use, struct err *e)
{
    static const char *const usual[] = {"postgres", "template1"};
    struct err first = {0};
    if (setting != NULL && strcmp(setting, c->dbname) == 0) {
        err_set(e, ERR_CONFIG, "setting \"maintenance-database\" names the live database");
        err_hint(e, "It must be another database of the server, as \"postgres\".");
        return NULL;
    }
    if (setting != NULL) {
        struct connection other = connection_to(c, setting);
        return connection_open(&other, use, e);
    }
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        if (strcmp(usual[i], c->dbname) == 0)
            continue;
        struct connection other = connection_to(c, usual[i]);
        struct pg *db = connection_open(&other, use, e);
        if (db != NULL || !is_about_database(e))
            return db;
        if (first.kind == ERR_NONE)
            first = *e;
    }
    *e = first;
    err_hint(e, "Grant CONNECT on it to this role, or name another database by the setting "
                "maintenance-database.");
    return NULL;
}
