#include "core/connection/connection.h"

#include "base/fs.h"
#include "core/connection/url.h"

#include <ctype.h>
#include <unistd.h>

enum { LONGEST_CONNECT_S = 3600 };

/* What the query says: the last of a name counts. */
struct query {
    const char *host, *schema, *connect_timeout, *sslmode, *sslaccept, *sslcert, *sslidentity,
        *application_name, *options, *channel_binding, *pgbouncer;
};

static const struct {
    const char *name;
    size_t offset;
} parameters[] = {
#define P(field)                              \
    {                                         \
#field, offsetof(struct query, field) \
    }
    P(host),      P(schema),          P(connect_timeout), P(sslmode),
    P(sslaccept), P(sslcert),         P(sslidentity),     P(application_name),
    P(options),   P(channel_binding), P(pgbouncer),
#undef P
};

/* Of Prisma's pool and of no meaning to libpq; Prisma refuses them when they are no numbers. */
static const char *const numbers[] = {
    "connect_timeout",      "socket_timeout",          "pool_timeout",
    "connection_limit",     "max_connection_lifetime", "max_idle_connection_lifetime",
    "statement_cache_size",
};

static bool is_number(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n < 19 && strspn(text, "0123456789") == n;
}

static bool check_number(const struct url_pair *pair, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strcmp(numbers[i], pair->name) == 0 && !is_number(pair->value))
            return err_set(e, ERR_CONFIG, "parameter \"%s\" of the URL is not a whole number",
                           numbers[i]);
    return true;
}

static bool read_query(struct arena *a, const char *text, struct query *q, struct err *e)
{
    struct url_pair pair;
    *q = (struct query){0};
    while (url_next_pair(a, &text, &pair)) {
        if (!check_number(&pair, e))
            return false;
        for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
            if (strcmp(parameters[i].name, pair.name) == 0)
                *(const char **)(void *)((char *)q + parameters[i].offset) = pair.value;
    }
    return true;
}

static bool check_scheme(const char *scheme, struct err *e)
{
    if (strcmp(scheme, "postgresql") == 0 || strcmp(scheme, "postgres") == 0)
        return true;
    if (strcmp(scheme, "prisma") == 0 || strcmp(scheme, "prisma+postgres") == 0) {
        err_set(e, ERR_CONFIG, "a %s:// URL is a service of Prisma, not a database", scheme);
        err_hint(e, "Set direct-url (DIRECT_URL) to the postgresql:// URL of the database itself.");
        return false;
    }
    err_set(e, ERR_CONFIG, "unsupported scheme \"%s\" in the URL", scheme);
    err_hint(e, "It must begin with postgresql:// or postgres://.");
    return false;
}

/* User and password: decoded, as written when that gives no UTF-8; NULL: none. */
static bool take_login(struct arena *a, const char *written, const char *what, const char **to,
                       struct err *e)
{
    *to = NULL;
    if (written[0] == '\0')
        return true;
    *to = url_decode_utf8(a, written);
    return *to != NULL || err_set(e, ERR_CONFIG, "the %s in the URL holds a zero byte", what);
}

/* The first segment of the path, not decoded.  What the standard encodes in a path is encoded:
 * Prisma asks the server for "my%20db". */
static char *path_name(struct arena *a, const char *path)
{
    struct str s = str_on(a);
    size_t n = path[0] == '/' ? strcspn(path + 1, "/") : 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)path[i + 1];
        if (c <= ' ' || c >= 0x7F || strchr("\"#<>?`{}", c) != NULL)
            str_printf(&s, "%%%02X", (unsigned)c);
        else
            str_add_n(&s, path + i + 1, 1);
    }
    return s.text;
}

static bool take_dbname(struct arena *a, const struct url *url, struct connection *c, struct err *e)
{
    const char *name = url->path[0] == '\0' ? "postgres" : path_name(a, url->path);
    if (name[0] == '\0' && c->user == NULL)
        return err_set(e, ERR_CONFIG, "the URL names no database");
    c->dbname = name[0] == '\0' ? c->user : name; /* as the server does with an empty name */
    return true;
}

static bool contains(struct arena *a, const char *text, const char *part)
{
    char *lower = arena_strdup(a, text);
    for (char *p = lower; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return strstr(lower, part) != NULL;
}

static void judge_pooled(struct arena *a, const struct query *q, struct connection *c)
{
    static const char *const hosts[] = {"-pooler.", "pooler.supabase.com"};
    static const char *const ports[] = {"6432", "6543"};
    if (str_same(q->pgbouncer, "true"))
        c->pooled_why = "pgbouncer=true";
    for (size_t i = 0; c->pooled_why == NULL && i < ARRAY_LEN(hosts); i++)
        if (contains(a, c->host, hosts[i]))
            c->pooled_why = arena_printf(a, "host name contains \"%s\"", hosts[i]);
    for (size_t i = 0; c->pooled_why == NULL && i < ARRAY_LEN(ports); i++)
        if (strcmp(c->port, ports[i]) == 0)
            c->pooled_why = arena_printf(a, "port %s", ports[i]);
    c->pooled = c->pooled_why != NULL;
}

/* Where a system keeps the certificates that Prisma's strict mode trusts. */
static const char *system_certificates(struct arena *a)
{
    static const char *const files[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    const char *own = getenv("SSL_CERT_FILE");
    if (own != NULL && own[0] != '\0')
        return arena_strdup(a, own);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (fs_is_file(files[i]))
            return files[i];
    return NULL;
}

static void take_certificate(struct arena *a, const struct query *q, const char *base_dir,
                             struct connection *c)
{
    if (q->sslcert == NULL || q->sslcert[0] == '\0')
        return;
    /* libpq would check the server by it, which the URL says not to do. */
    if (str_same(q->sslaccept, "accept_invalid_certs"))
        return;
    c->sslrootcert = fs_absolute(a, fs_join(a, base_dir, q->sslcert));
    if (!fs_is_file(c->sslrootcert))
        strlist_printf(&c->warnings, "there is no file \"%s\", which sslcert names",
                       c->sslrootcert);
}

static void take_tls(struct arena *a, const struct query *q, const char *base_dir,
                     struct connection *c)
{
    static const char *const modes[] = {"disable", "prefer", "require", NULL};
    const struct strlist known = {.items = (const char **)(uintptr_t)modes, .count = 3};
    bool strict = q->sslaccept != NULL && strcmp(q->sslaccept, "accept_invalid_certs") != 0;
    c->sslmode = q->sslmode;
    if (q->sslmode != NULL && !strlist_has(&known, q->sslmode)) {
        strlist_printf(&c->warnings,
                       "Prisma reads sslmode=%s as prefer, which checks no certificate: write "
                       "sslmode=require&sslaccept=strict",
                       q->sslmode);
        c->sslmode = "prefer";
    }
    c->channel_binding = q->channel_binding;
    if (q->channel_binding != NULL && !strlist_has(&known, q->channel_binding)) {
        strlist_printf(&c->warnings, "Prisma reads channel_binding=%s as prefer",
                       q->channel_binding);
        c->channel_binding = "prefer";
    }
    take_certificate(a, q, base_dir, c);
    if (strict && str_same(c->sslmode, "require")) {
        c->sslmode = "verify-full";
        if (c->sslrootcert == NULL)
            c->sslrootcert = system_certificates(a);
    } else if (strict && !str_same(c->sslmode, "disable")) {
        strlist_add(&c->warnings, "sslaccept=strict without sslmode=require is not enforced by "
                                  "pg_dump, pg_restore and the sessions of migsafe");
    }
}

static bool refuse_identity(const struct query *q, struct err *e)
{
    if (q->sslidentity == NULL || q->sslidentity[0] == '\0')
        return true;
    err_set(e, ERR_CONFIG, "client certificates (sslidentity) are not supported");
    err_detail(e, "pg_dump and pg_restore cannot read the PKCS#12 file that Prisma takes.");
    err_hint(e, "Set direct-url (DIRECT_URL) to a URL of a role that logs in by password.");
    return false;
}

static bool check_pgbouncer(const struct query *q, struct err *e)
{
    if (q->pgbouncer == NULL || strcmp(q->pgbouncer, "true") == 0 ||
        strcmp(q->pgbouncer, "false") == 0)
        return true;
    return err_set(e, ERR_CONFIG, "parameter \"pgbouncer\" of the URL is neither true nor false");
}

static int connect_seconds(const struct query *q)
{
    long long n = q->connect_timeout == NULL ? 0 : strtoll(q->connect_timeout, NULL, 10);
    return n > LONGEST_CONNECT_S ? LONGEST_CONNECT_S : (int)n;
}

static const char *host_of(const struct url *url, const struct query *q)
{
    if (q->host != NULL && q->host[0] != '\0')
        return q->host;
    return url->host[0] == '\0' ? "localhost" : url->host;
}

static bool check_host(const struct connection *c, struct err *e)
{
    if (strchr(c->host, ',') != NULL)
        return err_set(e, ERR_CONFIG, "the URL names several hosts");
    if (strchr(c->host, '%') == NULL || c->host[0] == '/')
        return true;
    err_set(e, ERR_CONFIG, "the host in the URL holds a \"%%\"");
    err_hint(e, "Prisma takes the folder of a socket as a parameter: ?host=/var/run/postgresql.");
    return false;
}

bool connection_parse(struct arena *a, const char *text, const char *base_dir, struct connection *c,
                      struct err *e)
{
    struct url url;
    struct query q;
    *c = (struct connection){.warnings = strlist_on(a)};
    if (!url_split(a, text, &url, e) || !check_scheme(url.scheme, e) ||
        !read_query(a, url.query, &q, e) || !refuse_identity(&q, e) || !check_pgbouncer(&q, e) ||
        !take_login(a, url.user, "user name", &c->user, e) ||
        !take_login(a, url.password, "password", &c->password, e) || !take_dbname(a, &url, c, e))
        return false;
    c->host = host_of(&url, &q);
    c->port = url.port[0] == '\0' ? "5432" : url.port;
    c->schema = q.schema == NULL ? "public" : q.schema;
    c->schema_given = q.schema != NULL;
    c->application_name = q.application_name;
    c->options = q.options;
    c->connect_timeout_s = connect_seconds(&q);
    take_tls(a, &q, base_dir, c);
    judge_pooled(a, &q, c);
    return check_host(c, e);
}
