#include "core/connection/connection.h"

#include <strings.h>
#include <unistd.h>

/* Nothing waits for ever: longer than the index of any table takes. */
enum { LONGEST_MS = 24 * 60 * 60 * 1000 };

struct connection connection_to(const struct connection *c, const char *dbname)
{
    struct connection other = *c;
    other.dbname = dbname;
    return other;
}

bool connection_is_local(const struct connection *c)
{
    return c->host[0] == '/' || strcasecmp(c->host, "localhost") == 0 ||
           strcmp(c->host, "::1") == 0 || str_starts(c->host, "127.");
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

/* Refusals that libpq gives no SQLSTATE for and ext/pg does not name: 28000 the login itself, 42501
 * and 55000 this database only. */
static void name_refusal(struct err *e)
{
    static const struct {
        const char *words, *state;
    } known[] = {
        {"no pg_hba.conf entry", "28000"},
        {"pg_hba.conf rejects connection", "28000"},
        {"is not permitted to log in", "28000"},
        {"permission denied for database", "42501"},
        {"not currently accepting connections", "55000"},
    };
    for (size_t i = ARRAY_LEN(known); i-- > 0 && e->kind == ERR_CONNECT;)
        if (e->sqlstate[0] == '\0' && strstr(e->message, known[i].words) != NULL)
            snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", known[i].state);
    if (e->kind == ERR_CONNECT && e->sqlstate[0] == '\0' &&
        strstr(e->message, " role \"") != NULL && strstr(e->message, "does not exist") != NULL)
        snprintf(e->sqlstate, sizeof(e->sqlstate), "28000");
}

/* libpq's message has a line for each address and advice behind a tab: one line and a hint. */
static void put_in_line(struct arena *a, struct err *e)
{
    struct str message = str_on(a), advice = str_on(a);
    for (const char *p = e->message; *p != '\0'; p += *p == '\n') {
        size_t n = strcspn(p, "\n");
        bool is_advice = *p == '\t';
        str_item(is_advice ? &advice : &message, is_advice ? " " : "; ",
                 arena_strndup(a, p + is_advice, n - is_advice));
        p += n;
    }
    snprintf(e->message, sizeof(e->message), "%s", message.text);
    if (e->hint[0] == '\0')
        err_hint(e, "%s", advice.text);
}

bool connection_crowded(const struct err *e)
{
    static const char *const words[] = {"too many connections for ", "too many clients already",
                                        "remaining connection slots"};
    bool crowded = strcmp(e->sqlstate, "53300") == 0;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        crowded = crowded || strstr(e->message, words[i]) != NULL;
    return crowded;
}

bool connection_advise_crowded(struct err *e)
{
    if (!connection_crowded(e))
        return false;
    err_hint(e, "Raise the limit of the role, the database or the server (max_connections), or "
                "lower \"jobs\": a deploy has as many sessions, and about five more.");
    return true;
}

/* Where libpq gives no advice of its own. */
static void advise(struct err *e)
{
    if (e->hint[0] != '\0' || e->kind != ERR_CONNECT)
        return;
    if (connection_advise_crowded(e))
        return;
    if (strcmp(e->sqlstate, "3D000") == 0)
        err_hint(e, "Create it, or mend the URL: migsafe makes no database, as \"prisma migrate "
                    "deploy\" would.");
    else if (strstr(e->message, "no password supplied") != NULL)
        err_hint(e, "Put the password into the URL, or into ~/.pgpass.");
    else if (strcmp(e->sqlstate, "28P01") == 0)
        err_hint(e, "In a URL \"/\", \"?\", \"#\" and \"%%\" of a password are written %%2F, %%3F, "
                    "%%23 and %%25.");
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
        /* A server that vanished without a word is noticed within a minute. */
        {"keepalives_idle", "20"},
        {"keepalives_interval", "10"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "60000"},
        {NULL, NULL},
    };
    const struct pg_params params = {
        .keywords = keywords,
        .connect_timeout_ms = c->connect_timeout_s * 1000,
        .statement_timeout_ms = use->statement_timeout_ms,
        .lock_timeout_ms = use->lock_timeout_ms,
        .query_deadline_ms = use->query_deadline_ms > 0 ? use->query_deadline_ms : LONGEST_MS,
    };
    struct pg *db = pg_open(&params, e);
    if (db == NULL && e->kind != ERR_CANCELLED) {
        AUTO(arena) struct arena *a = arena_new();
        name_refusal(e);
        put_in_line(a, e);
        advise(e);
        err_wrap(e, "could not connect to %s", connection_label(a, c));
    }
    return db;
}

/* The server answered, and another database may be let in to. */
static bool is_about_database(const struct err *e)
{
    static const char *const states[] = {"3D000", "42501", "55000", "28000"};
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (e->kind == ERR_CONNECT && strcmp(e->sqlstate, states[i]) == 0)
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
    if (strcmp(e->sqlstate, "28000") != 0)
        err_hint(e, "Grant CONNECT on it to this role, or name another database by the setting "
                    "maintenance-database.");
    return NULL;
}
