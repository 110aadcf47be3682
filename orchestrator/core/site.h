/*
 * site.h - where this run works: the live database and the role for work beside it.
 *
 * Made from the settings; opens nothing by itself.
 */
#ifndef MIGSAFE_CORE_SITE_H
#define MIGSAFE_CORE_SITE_H

#include "core/connection/connection.h"
#include "core/settings/settings.h"

struct site {
    struct connection live;   /* direct-url where given, else url: the application's role */
    struct connection server; /* admin-url's role on the same server, else live's */
    const char *url;          /* the URL behind live, as Prisma gets it (without our changes) */
    bool has_admin;
};

/* ERR_CONFIG: no URL, a wrong one, or an admin-url of another server. */
MUST_CHECK bool site_read(struct arena *a, const struct settings *s, struct site *site,
                          struct err *e);
/* A session of ours in live / in the maintenance database as the role for work beside it. */
MUST_CHECK struct pg *site_open_live(const struct site *site, const char *application_name,
                                     struct err *e);
MUST_CHECK struct pg *site_open_maintenance(const struct site *site, const struct settings *s,
                                            const char *application_name, struct err *e);

#endif
