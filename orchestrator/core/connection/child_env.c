#include "core/connection/connection.h"

#include "base/fs.h"

enum { DEFAULT_CONNECT_S = 10, LEAST_CONNECT_S = 2 }; /* libpq takes 1 as 2 */

static const char options_name[] = "PGOPTIONS=";

static void add(struct child_env *out, const char *name, const char *value)
{
    if (value != NULL)
        strlist_printf(&out->env, "%s=%s", name, value);
}

/* A field of a password file: ":" ends it, unless escaped. */
static char *escaped(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    for (; *text != '\0'; text++) {
        if (*text == ':' || *text == '\\')
            str_add(&s, "\\");
        str_add_n(&s, text, 1);
    }
    return s.text;
}

/* Any host and database: libpq looks a socket up under other names, and tools are pointed at other
 * databases of the same server. */
static bool make_pass_file(struct arena *a, const struct connection *c, struct child_env *out,
                           struct err *e)
{
    if (strpbrk(c->password, "\r\n") != NULL)
        return err_set(e, ERR_CONFIG,
                       "the password in the URL holds a line end, which pg_dump and pg_restore "
                       "cannot be given");
    const char *line =
        arena_printf(a, "*:%s:*:%s:%s\n", c->port, c->user == NULL ? "*" : escaped(a, c->user),
                     escaped(a, c->password));
    out->pass_fd = fd_memory_file(a, line, &out->pass_file, e);
    return out->pass_fd >= 0;
}

bool child_env_open(struct arena *a, const struct connection *c, const char *application_name,
                    struct child_env *out, struct err *e)
{
    int seconds = c->connect_timeout_s == 0 ? DEFAULT_CONNECT_S : c->connect_timeout_s;
    *out = (struct child_env){.env = strlist_on(a), .pass_fd = -1};
    strlist_add(&out->env, "PG*");
    add(out, "PGHOST", c->host);
    add(out, "PGPORT", c->port);
    add(out, "PGUSER", c->user);
    add(out, "PGDATABASE", c->dbname);
    add(out, "PGSSLMODE", c->sslmode);
    add(out, "PGSSLROOTCERT", c->sslrootcert);
    add(out, "PGCHANNELBINDING", c->channel_binding);
    add(out, "PGAPPNAME", application_name);
    add(out, "PGCONNECT_TIMEOUT",
        arena_printf(a, "%d", seconds < LEAST_CONNECT_S ? LEAST_CONNECT_S : seconds));
    if (c->options != NULL && c->options[0] != '\0')
        child_env_options(out, c->options);
    if (c->password == NULL)
        return true;
    if (!make_pass_file(a, c, out, e))
        return false;
    add(out, "PGPASSFILE", out->pass_file);
    return true;
}

void child_env_options(struct child_env *env, const char *options)
{
    for (size_t i = 0; i < env->env.count; i++)
        if (str_starts(env->env.items[i], options_name)) {
            env->env.items[i] = arena_printf(env->env.arena, "%s %s", env->env.items[i], options);
            return;
        }
    strlist_printf(&env->env, "%s%s", options_name, options);
}

void child_env_may_idle(struct child_env *env, int server_version)
{
    if (server_version >= 140000)
        child_env_options(env, "-c idle_session_timeout=0");
}

void child_env_close(struct child_env *env)
{
    if (env->pass_file == NULL)
        return;
    fd_close(env->pass_fd);
    env->pass_file = NULL;
}
