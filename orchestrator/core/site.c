#include "core/site.h"

#include "base/fs.h"

#include <strings.h>

/* Prisma takes a relative sslcert from the schema's folder. */
static const char *certificate_folder(struct arena *a, const struct settings *s)
{
    if (s->schema != NULL)
        return fs_is_dir(s->schema) ? s->schema : fs_dirname(a, s->schema);
    const char *folder = fs_join(a, s->project, "prisma");
    return fs_is_file(fs_join(a, folder, "schema.prisma")) ? folder : s->project;
}

static bool read_one(struct arena *a, const struct settings *s, const char *key, const char *url,
                     struct connection *c, struct err *e)
{
    enum setting_source source = strcmp(key, "url") == 0          ? s->from.url
                                 : strcmp(key, "direct-url") == 0 ? s->from.direct_url
                                                                  : s->from.admin_url;
    return connection_parse(a, url, certificate_folder(a, s), c, e) ||
           err_wrap(e, "setting \"%s\" (%s)", key, settings_source_name(source));
}

static bool same_server(const struct connection *a, const struct connection *b)
{
    bool same_host =
        strcasecmp(a->host, b->host) == 0 || (connection_is_local(a) && connection_is_local(b));
    return same_host && strcmp(a->port, b->port) == 0;
}

static bool read_admin(struct arena *a, const struct settings *s, struct site *site, struct err *e)
{
    site->server = site->live;
    if (s->admin_url == NULL)
        return true;
    struct connection admin;
    if (!read_one(a, s, "admin-url", s->admin_url, &admin, e))
        return false;
    if (!same_server(&admin, &site->live)) {
        err_set(e, ERR_CONFIG, "setting \"admin-url\" is of another server than %s",
                s->direct_url ? "direct-url" : "url");
        err_detail(e, "One is %s, the other %s.", connection_label(a, &admin),
                   connection_label(a, &site->live));
        return false;
    }
    /* So that "never in live" is judged by the name of live. */
    site->server = connection_to(&admin, site->live.dbname);
    site->has_admin = true;
    return true;
}

bool site_read(struct arena *a, const struct settings *s, struct site *site, struct err *e)
{
    *site = (struct site){.url = s->direct_url ? s->direct_url : s->url};
    if (site->url == NULL) {
        err_set(e, ERR_CONFIG, "no database is named");
        err_hint(e, "Set DATABASE_URL in the environment or in .env, or \"url\" in migsafe.json.");
        return false;
    }
    return read_one(a, s, s->direct_url ? "direct-url" : "url", site->url, &site->live, e) &&
           read_admin(a, s, site, e);
}

/* Against hanging for ever: no single statement of these sessions takes so long but by waiting. */
enum { QUERY_LIMIT_MS = 15 * 60 * 1000 };

struct pg *site_open_live(const struct site *site, const char *application_name, struct err *e)
{
    const struct session_use use = {.application_name = application_name,
                                    .query_deadline_ms = QUERY_LIMIT_MS};
    return connection_open(&site->live, &use, e);
}

struct pg *site_open_maintenance(const struct site *site, const struct settings *s,
                                 const char *application_name, struct err *e)
{
    const struct session_use use = {.application_name = application_name,
                                    .query_deadline_ms = QUERY_LIMIT_MS};
    return connection_open_maintenance(&site->server, s->maintenance_database, &use, e);
}
