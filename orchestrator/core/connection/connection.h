/*
 * connection.h - where a database is and how to get in.
 *
 * Read from a URL by Prisma's rules, which are not libpq's: the last "@" ends
 * the password, "+" in the query is a blank, sslcert is the CA certificate,
 * `schema` and the pool's parameters are Prisma's own (the table in
 * docs/CONNECTION.md; quaint/src/connector/postgres/url.rs).  Never pass such a
 * URL to libpq: build keywords from the struct.
 *
 * Texts live in the arena of connection_parse.
 */
#ifndef MIGSAFE_CORE_CONNECTION_H
#define MIGSAFE_CORE_CONNECTION_H

#include "base/str.h"
#include "ext/pg.h"

struct connection {
    const char *host;     /* name, address, or folder of a socket */
    const char *port;     /* "5432" */
    const char *user;     /* NULL: libpq's default */
    const char *password; /* NULL: none */
    const char *dbname;
    const char *schema;                                  /* of ?schema=, else "public" */
    const char *sslmode, *sslrootcert, *channel_binding; /* NULL: libpq's default */
    const char *application_name, *options;              /* of the URL, or NULL */
    int connect_timeout_s;                               /* 0: ours (10 s) */
    bool schema_given;
    bool pooled; /* goes through a pooler as far as the URL tells (pgbouncer=true, ...) */
    const char *pooled_why;  /* "pgbouncer=true", "host name contains \"-pooler\"" */
    struct strlist warnings; /* what was read but has no libpq equivalent */
};

/* base_dir: folder that a relative sslcert is relative to.  ERR_CONFIG; the URL itself is never in
 * the error, only the part that is wrong. */
MUST_CHECK bool connection_parse(struct arena *a, const char *url, const char *base_dir,
                                 struct connection *c, struct err *e);

/* Another database of the same server, as the same role. */
struct connection connection_to(const struct connection *c, const char *dbname);

/* A host of this machine, as far as a name can tell: a tunnel looks the same. */
bool connection_is_local(const struct connection *c);

/* "app at db.example:5432": never a password. */
char *connection_label(struct arena *a, const struct connection *c) RETURNS_NONNULL;

/* Forgets every PG* variable of the environment, once, from main: the URL alone says where to go,
 * and libpq would read them.  Children of ours inherit none either. */
void connection_ignore_environment(void);

/* How a session of ours is to be. */
struct session_use {
    const char *application_name; /* NULL: "migsafe" */
    int statement_timeout_ms;     /* 0: none */
    int lock_timeout_ms;          /* 0: none */
    int query_deadline_ms;        /* 0: a day */
};

/* NULL: as pg_open, the label in the message. */
MUST_CHECK struct pg *connection_open(const struct connection *c, const struct session_use *use,
                                      struct err *e);

/* Was it refused because the server, the role or the database has no connection left?  Also in
 * what a child program said. */
bool connection_crowded(const struct err *e);
/* If so, says what can be done, and is true. */
bool connection_advise_crowded(struct err *e);

/* A session in the maintenance database: the setting's, else postgres, else template1 - never in
 * live, where our own swap would end it. */
MUST_CHECK struct pg *connection_open_maintenance(const struct connection *c, const char *setting,
                                                  const struct session_use *use, struct err *e);

/* The URL that Prisma gets: the same but for application_name and `options`, which are added to its
 * own unless they end them already.  NULL: left as they are. */
char *connection_prisma_url(struct arena *a, const char *url, const char *application_name,
                            const char *options) RETURNS_NONNULL;

/* The same URL to another database of the server. */
char *connection_url_to(struct arena *a, const char *url, const char *dbname) RETURNS_NONNULL;

/* A child program's way in (pg_dump, pg_restore, psql): PGHOST and friends in env, the password in
 * a file in memory that PGPASSFILE names, everything else that begins with PG removed, nothing in
 * argv, nothing on a disk. */
struct child_env {
    struct strlist env;    /* changes for proc_spec.env */
    const char *pass_file; /* NULL: no password, no file */
    int pass_fd;           /* of it */
};
MUST_CHECK bool child_env_open(struct arena *a, const struct connection *c,
                               const char *application_name, struct child_env *out, struct err *e);
/* Session options for the child ("-c lock_timeout=5s"), after those of the URL: PGOPTIONS. */
void child_env_options(struct child_env *env, const char *options);
/* Whatever role or database say of idle_session_timeout, which pg_dump and pg_restore leave alone:
 * a worker of pg_restore that waited longer for its next item would end the whole restore. */
void child_env_may_idle(struct child_env *env, int server_version);
void child_env_close(struct child_env *env); /* the file is gone; accepts one never opened */

/* pg_dump, pg_restore, psql of the server's major version: the setting's folder, else
 * /usr/lib/postgresql/MAJOR/bin (or where other systems have them), else PATH, checked by
 * --version.  ERR_CHILD names what is missing and the package that has it. */
MUST_CHECK bool connection_tool(struct arena *a, const char *pg_bin, const char *tool,
                                int server_version, const char **path, struct err *e);

#endif
