#include "base/fs.h"
#include "base/log.h"
#include "core/connection/connection.h"
#include "core/connection/url.h"
#include "core/site.h"

#include "tap.h"

#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>

static bool parse(struct arena *a, const char *url, struct connection *c)
{
    struct err e = {0};
    bool ok = connection_parse(a, url, "/base", c, &e);
    if (!ok)
        printf("# %s: %s\n", url, e.message);
    return ok;
}

static const char *or_none(const char *text)
{
    return text == NULL ? "(none)" : text;
}

/* "user|password|host|port|dbname" */
static const char *parts(struct arena *a, const char *url)
{
    struct connection c;
    if (!parse(a, url, &c))
        return "(wrong)";
    return arena_printf(a, "%s|%s|%s|%s|%s", or_none(c.user), or_none(c.password), c.host, c.port,
                        c.dbname);
}

TEST(url_parts_are_prismas)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *url, *want;
    } cases[] = {
        {"postgresql://u:p@h:5433/d", "u|p|h|5433|d"},
        {"postgres://u:p@h/d", "u|p|h|5432|d"},
        {"POSTGRESQL://u:p@h/d", "u|p|h|5432|d"},
        {"postgres://u@h/d", "u|(none)|h|5432|d"},
        {"postgres://u:@h/d", "u|(none)|h|5432|d"},
        {"postgres://h/d", "(none)|(none)|h|5432|d"},
        {"postgres://:p@h/d", "(none)|p|h|5432|d"},
        /* the last @ ends the password */
        {"postgres://u:p@ss@h/d", "u|p@ss|h|5432|d"},
        {"postgres://u:p@ss@w@rd@h/d", "u|p@ss@w@rd|h|5432|d"},
        {"postgres://u:a:b:c@h/d", "u|a:b:c|h|5432|d"},
        /* percent-decoded; what is no escape stays */
        {"postgres://u%40x:p%2Fs%3as@h/d", "u@x|p/s:s|h|5432|d"},
        {"postgres://u:100%@h/d", "u|100%|h|5432|d"},
        {"postgres://u:%zz%4@h/d", "u|%zz%4|h|5432|d"},
        {"postgres://u:%2541@h/d", "u|%41|h|5432|d"},
        {"postgres://u:p+q@h/d", "u|p+q|h|5432|d"},
        {"postgres://u:%C3%A9@h/d", "u|\xC3\xA9|h|5432|d"},
        {"postgres://u:\xC3\xA9@h/d", "u|\xC3\xA9|h|5432|d"},
        /* not UTF-8 when decoded: as written */
        {"postgres://u:%ff@h/d", "u|%ff|h|5432|d"},
        {"postgres://u:%C0%80@h/d", "u|%C0%80|h|5432|d"},
        {"postgres://u:%ED%A0%80@h/d", "u|%ED%A0%80|h|5432|d"},
        /* the database: first segment, not decoded, encoded as a path is */
        {"postgres://u@h", "u|(none)|h|5432|postgres"},
        {"postgres://u@h?schema=x", "u|(none)|h|5432|postgres"},
        {"postgres://u@h/", "u|(none)|h|5432|u"},
        {"postgres://u@h/my%20db", "u|(none)|h|5432|my%20db"},
        {"postgres://u@h/my db", "u|(none)|h|5432|my%20db"},
        {"postgres://u@h/\xC3\xA9", "u|(none)|h|5432|%C3%A9"},
        {"postgres://u@h/a/b", "u|(none)|h|5432|a"},
        {"postgres://u@h/d#x?host=y", "u|(none)|h|5432|d"},
        /* hosts */
        {"postgres://u@/d", "u|(none)|localhost|5432|d"},
        {"postgres:///d", "(none)|(none)|localhost|5432|d"},
        {"postgres://u@h:/d", "u|(none)|h|5432|d"},
        {"postgres://u@[::1]/d", "u|(none)|::1|5432|d"},
        {"postgres://u:p@[2001:db8::2]:6000/d", "u|p|2001:db8::2|6000|d"},
        {"postgres://u@h/d?host=other", "u|(none)|other|5432|d"},
        {"postgres://u@h:6000/d?host=/var/run/postgresql", "u|(none)|/var/run/postgresql|6000|d"},
        {"postgres://u@h/d?host=%2Fvar%2Frun", "u|(none)|/var/run|5432|d"},
        {"postgres://u@h/d?host=", "u|(none)|h|5432|d"},
        /* blanks around, line ends within */
        {"  postgres://u@h/d\n", "u|(none)|h|5432|d"},
        {"postgres://u@h\n/d", "u|(none)|h|5432|d"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(parts(a, cases[i].url), cases[i].want);
}

TEST(url_parameters_are_read_as_a_form)
{
    AUTO(arena) struct arena *a = arena_new();
    struct connection c;
    CHECK(parse(a,
                "postgres://u@h/d?schema=my+app&application_name=a%20b&options=-c+x%3D1&&"
                "connect_timeout=7&foo=bar&=&novalue&%73chema=last",
                &c));
    CHECK_STR(c.schema, "last");
    CHECK(c.schema_given && c.connect_timeout_s == 7 && c.warnings.count == 0);
    CHECK_STR(c.application_name, "a b");
    CHECK_STR(c.options, "-c x=1");
    CHECK(parse(a, "postgres://u@h/d", &c));
    CHECK_STR(c.schema, "public");
    CHECK(!c.schema_given && c.connect_timeout_s == 0 && c.options == NULL);
    CHECK(c.application_name == NULL && c.sslmode == NULL && c.channel_binding == NULL);
    CHECK(parse(a, "postgres://u@h/d?connect_timeout=0", &c) && c.connect_timeout_s == 0);
    CHECK(parse(a, "postgres://u@h/d?connect_timeout=99999999999", &c));
    CHECK(c.connect_timeout_s == 3600);
    /* Prisma's own, of no meaning here */
    CHECK(parse(a,
                "postgres://u@h/d?socket_timeout=3&pool_timeout=0&connection_limit=5&"
                "max_connection_lifetime=1&max_idle_connection_lifetime=0&statement_cache_size=0&"
                "single_use_connections=true&pgbouncer=false&target_session_attrs=any",
                &c));
    CHECK(!c.pooled && c.warnings.count == 0);
}

TEST(url_tls_is_what_prisma_means)
{
    AUTO(arena) struct arena *a = arena_new();
    struct connection c;
    static const char *const same[] = {"disable", "prefer", "require"};
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        CHECK(parse(a, arena_printf(a, "postgres://u@h/d?sslmode=%s", same[i]), &c));
        CHECK_STR(c.sslmode, same[i]);
        CHECK(c.warnings.count == 0 && c.sslrootcert == NULL);
    }
    static const char *const others[] = {"verify-ca", "verify-full", "allow", "no-verify", ""};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        CHECK(parse(a, arena_printf(a, "postgres://u@h/d?sslmode=%s", others[i]), &c));
        CHECK_STR(c.sslmode, "prefer");
        CHECK(c.warnings.count == 1);
    }
    CHECK(parse(a, "postgres://u@h/d?channel_binding=require", &c));
    CHECK_STR(c.channel_binding, "require");
    CHECK(parse(a, "postgres://u@h/d?channel_binding=x", &c) && c.warnings.count == 1);
    CHECK_STR(c.channel_binding, "prefer");
}

TEST(url_certificates_are_checked_when_prisma_does)
{
    AUTO(arena) struct arena *a = arena_new();
    struct connection c;
    setenv("SSL_CERT_FILE", "/etc/own.pem", 1);
    CHECK(parse(a, "postgres://u@h/d?sslmode=require&sslaccept=strict", &c));
    CHECK_STR(c.sslmode, "verify-full");
    CHECK_STR(c.sslrootcert, "/etc/own.pem");
    unsetenv("SSL_CERT_FILE");
    /* what is not accept_invalid_certs is strict */
    CHECK(parse(a, "postgres://u@h/d?sslaccept=typo&sslmode=require&sslcert=/no/ca.pem", &c));
    CHECK_STR(c.sslmode, "verify-full");
    CHECK_STR(c.sslrootcert, "/no/ca.pem");
    CHECK(c.warnings.count == 1); /* no such file */
    CHECK(parse(a, "postgres://u@h/d?sslmode=require&sslcert=certs/ca.pem", &c));
    CHECK_STR(c.sslmode, "require");
    CHECK_STR(c.sslrootcert, "/base/certs/ca.pem");
    CHECK(
        parse(a, "postgres://u@h/d?sslmode=require&sslaccept=accept_invalid_certs&sslcert=x", &c));
    CHECK_STR(c.sslmode, "require");
    CHECK(c.sslrootcert == NULL);
    CHECK(parse(a, "postgres://u@h/d?sslaccept=strict", &c) && c.warnings.count == 1);
    CHECK(c.sslmode == NULL);
    CHECK(parse(a, "postgres://u@h/d?sslmode=disable&sslaccept=strict", &c));
    CHECK(c.warnings.count == 0);
}

TEST(url_pooled_is_seen)
{
    AUTO(arena) struct arena *a = arena_new();
    struct connection c;
    static const char *const pooled[] = {
        "postgres://u@h/d?pgbouncer=true",
        "postgres://u@ep-x-pooler.eu-1.aws.neon.tech/d",
        "postgres://u@EP-X-POOLER.eu-1.aws.neon.tech/d",
        "postgres://u@aws-0-eu.pooler.supabase.com:5432/d",
        "postgres://u@h:6543/d",
        "postgres://u@h:6432/d",
    };
    for (size_t i = 0; i < ARRAY_LEN(pooled); i++)
        CHECK(parse(a, pooled[i], &c) && c.pooled && c.pooled_why != NULL);
    CHECK(parse(a, "postgres://u@pooler.example/d-pooler.", &c) && !c.pooled);
    CHECK(parse(a, "postgres://u@h/d?pgbouncer=true&pgbouncer=false", &c) && !c.pooled);
}

TEST(url_errors_are_of_the_settings_and_show_no_secret)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *url, *words;
    } cases[] = {
        {"", "empty"},
        {"geheim", "scheme"},
        {"\"postgres://u:geheim@h/d\"", "scheme"},
        {"u:geheim@h/d", "scheme"},
        {"postgres:u:geheim@h/d", "scheme"},
        {"mysql://u:geheim@h/d", "mysql"},
        {"file:///geheim", "file"},
        {"prisma://accelerate.example/?api_key=geheim", "Prisma"},
        {"prisma+postgres://localhost:51213/?api_key=geheim", "Prisma"},
        {"postgres://u:geh/eim@h/d", "port"},
        {"postgres://u:geh?eim@h/d", "port"},
        {"postgres://u:geh#eim@h/d", "port"},
        {"postgres://u:geheim@h:0/d", "port"},
        {"postgres://u:geheim@h:65536/d", "port"},
        {"postgres://u:geheim@h:54x/d", "port"},
        {"postgres://u:geheim@h1:1,h2:2/d", "several hosts"},
        {"postgres://u:geheim@h1,h2/d", "several hosts"},
        {"postgres://u:geheim@h/d?host=h1,h2", "several hosts"},
        {"postgres://u:geheim@a b/d", "host"},
        {"postgres://u:geheim@[::1/d", "IPv6"},
        {"postgres://u:geheim@[zz]/d", "IPv6"},
        {"postgres://u:geheim@[::1]x/d", "host"},
        {"postgres://u:geheim@%2Fvar%2Frun/d", "host"},
        {"postgres://u:geheim%00x@h/d", "zero byte"},
        {"postgres://:geheim@h/", "no database"},
        {"postgres://u:geheim@h/d?sslidentity=id.p12&sslpassword=geheim", "client certificates"},
        {"postgres://u:geheim@h/d?connect_timeout=geheim", "connect_timeout"},
        {"postgres://u:geheim@h/d?pool_timeout=-1", "pool_timeout"},
        {"postgres://u:geheim@h/d?connection_limit=", "connection_limit"},
        {"postgres://u:geheim@h/d?pgbouncer=1", "pgbouncer"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct connection c;
        struct err e = {0};
        CHECK(!connection_parse(a, cases[i].url, "/", &c, &e) && e.kind == ERR_CONFIG);
        CHECK(strstr(e.message, cases[i].words) != NULL);
        const char *all = arena_printf(a, "%s%s%s", e.message, e.detail, e.hint);
        CHECK(strstr(all, "geh") == NULL && strstr(all, "eim") == NULL);
        if (strstr(e.message, cases[i].words) == NULL)
            printf("# %s: %s\n", cases[i].url, e.message);
    }
}

TEST(url_secrets_are_found_in_wrong_urls_too)
{
    AUTO(arena) struct arena *a = arena_new();
    struct strlist s = strlist_on(a);
    url_secrets(a, "postgres://u:p%40w@h/d?sslpassword=ssl+pw", &s);
    CHECK(strlist_has(&s, "p%40w") && strlist_has(&s, "p@w") && strlist_has(&s, "ssl pw"));
    s = strlist_on(a);
    url_secrets(a, "postgres://u:a/b#c@h/d", &s);
    CHECK(strlist_has(&s, "a/b#c"));
    s = strlist_on(a);
    url_secrets(a, "postgres://u@h/d", &s);
    url_secrets(a, "nonsense", &s);
    url_secrets(a, "", &s);
    CHECK(s.count == 0);
}

TEST(label_has_no_password)
{
    AUTO(arena) struct arena *a = arena_new();
    struct connection c;
    CHECK(parse(a, "postgres://u:p@db.example/app", &c));
    CHECK_STR(connection_label(a, &c), "app at db.example:5432");
    struct connection other = connection_to(&c, "x");
    CHECK_STR(connection_label(a, &other), "x at db.example:5432");
    CHECK_STR(other.password, "p");
    CHECK(parse(a, "postgres://u:p@[::1]:1/app", &c));
    CHECK_STR(connection_label(a, &c), "app at [::1]:1");
}

TEST(prisma_url_changes_the_query_only)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *url, *want;
    } cases[] = {
        {"postgres://u:p%zz@ss@h:1/d",
         "postgres://u:p%zz@ss@h:1/d?application_name=me&options=-c%20x%3D1"},
        {"postgres://u@h/d?", "postgres://u@h/d?application_name=me&options=-c%20x%3D1"},
        {"postgres://u@h/d?schema=a+b&sslcert=%7e/x",
         "postgres://u@h/d?schema=a+b&sslcert=%7e/x&application_name=me&options=-c%20x%3D1"},
        {"postgres://u@h/d?application_name=old&schema=s&options=-c+y%3D2",
         "postgres://u@h/d?schema=s&application_name=me&options=-c%20y%3D2%20-c%20x%3D1"},
        {"postgres://u@h/d?options=-c+a%3D1&opt%69ons=-c+b%3D2",
         "postgres://u@h/d?application_name=me&options=-c%20b%3D2%20-c%20x%3D1"},
        {"postgres://u@h/d?options=", "postgres://u@h/d?application_name=me&options=-c%20x%3D1"},
        {"postgres://u@h/d?a=b#f?g", "postgres://u@h/d?a=b&application_name=me&options="
                                     "-c%20x%3D1#f?g"},
        {"nonsense", "nonsense?application_name=me&options=-c%20x%3D1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *once = connection_prisma_url(a, cases[i].url, "me", "-c x=1");
        CHECK_STR(once, cases[i].want);
        CHECK_STR(connection_prisma_url(a, once, "me", "-c x=1"), once);
    }
    const char *url = "postgres://u@h/d?application_name=own&options=-c%20y%3D2";
    CHECK_STR(connection_prisma_url(a, url, NULL, NULL), url);
    CHECK_STR(connection_prisma_url(a, url, NULL, "-c z=3"),
              "postgres://u@h/d?application_name=own&options=-c%20y%3D2%20-c%20z%3D3");
}

/* The value of one keyword as libpq itself reads it from a URL; NULL: it refuses the URL. */
static const char *libpq_reads(struct arena *a, const char *url, const char *keyword)
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &error);
    const char *found = NULL;
    if (options == NULL)
        printf("# libpq: %s\n", error);
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, keyword) == 0 && o->val != NULL)
            found = arena_strdup(a, o->val);
    PQconninfoFree(options);
    PQfreemem(error);
    return or_none(found);
}

TEST(prisma_url_says_the_same_to_every_reader)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *name = "migsafe:20261120_194609_ab12 +&=?#%\xC3\xA9";
    const char *options = "-c lock_timeout=5000 -c search_path=\"a b\",c -c x=100%";
    const char *url =
        connection_prisma_url(a, "postgres://u:p@h:1/d?connect_timeout=3", name, options);
    struct connection c;
    CHECK(parse(a, url, &c));
    CHECK_STR(c.application_name, name);
    CHECK_STR(c.options, options);
    CHECK_STR(libpq_reads(a, url, "application_name"), name);
    CHECK_STR(libpq_reads(a, url, "options"), options);
    CHECK_STR(libpq_reads(a, url, "connect_timeout"), "3");
    CHECK(strchr(strchr(url, '?'), '+') == NULL);
}

static const char *of_env(const struct child_env *env, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < env->env.count; i++)
        if (strncmp(env->env.items[i], name, n) == 0 && env->env.items[i][n] == '=')
            return env->env.items[i] + n + 1;
    return "(none)";
}

TEST(child_env_names_everything_and_hides_the_password)
{
    AUTO(arena) struct arena *a = arena_new();
    struct connection c;
    struct child_env env;
    struct err e = {0};
    struct stat st;
    char *text;
    CHECK(parse(a,
                "postgres://u%3Ax:p%3A%5Cw@h:6000/d?sslmode=require&sslcert=/ca.pem&"
                "channel_binding=require&connect_timeout=1&options=-c%20a%3D1",
                &c));
    CHECK(child_env_open(a, &c, "me", &env, &e));
    CHECK_STR(env.env.items[0], "PG*");
    CHECK_STR(of_env(&env, "PGHOST"), "h");
    CHECK_STR(of_env(&env, "PGPORT"), "6000");
    CHECK_STR(of_env(&env, "PGUSER"), "u:x");
    CHECK_STR(of_env(&env, "PGDATABASE"), "d");
    CHECK_STR(of_env(&env, "PGSSLMODE"), "require");
    CHECK_STR(of_env(&env, "PGSSLROOTCERT"), "/ca.pem");
    CHECK_STR(of_env(&env, "PGCHANNELBINDING"), "require");
    CHECK_STR(of_env(&env, "PGCONNECT_TIMEOUT"), "2");
    CHECK_STR(of_env(&env, "PGAPPNAME"), "me");
    CHECK_STR(of_env(&env, "PGOPTIONS"), "-c a=1");
    child_env_options(&env, "-c b=2");
    CHECK_STR(of_env(&env, "PGOPTIONS"), "-c a=1 -c b=2");
    CHECK_STR(of_env(&env, "PGPASSFILE"), env.pass_file);
    CHECK(strstr(strlist_join(&env.env, "\n"), "p:\\w") == NULL);
    CHECK(fs_read(a, env.pass_file, 1000, &text, NULL, &e));
    CHECK_STR(text, "*:6000:*:u\\:x:p\\:\\\\w\n");
    CHECK(stat(env.pass_file, &st) == 0 && (st.st_mode & 0777) == 0600);
    const char *path = env.pass_file;
    CHECK(str_starts(path, "/proc/")); /* never on a disk: nothing stays of it, however we end */
    child_env_close(&env);
    CHECK(!fs_exists(path) && env.pass_file == NULL);
    child_env_close(&env);
}

TEST(child_env_without_password_makes_no_file)
{
    AUTO(arena) struct arena *a = arena_new();
    struct connection c;
    struct child_env env, never = {0};
    struct err e = {0};
    CHECK(parse(a, "postgres://h/d", &c) && child_env_open(a, &c, "me", &env, &e));
    CHECK(env.pass_file == NULL);
    CHECK_STR(of_env(&env, "PGUSER"), "(none)");
    CHECK_STR(of_env(&env, "PGOPTIONS"), "(none)");
    CHECK_STR(of_env(&env, "PGCONNECT_TIMEOUT"), "10");
    child_env_options(&env, "-c b=2");
    CHECK_STR(of_env(&env, "PGOPTIONS"), "-c b=2");
    child_env_close(&env);
    child_env_close(&never);
    CHECK(parse(a, "postgres://u:a%0Ab@h/d", &c) && !child_env_open(a, &c, "me", &env, &e));
    CHECK(e.kind == ERR_CONFIG && env.pass_file == NULL);
}

static void write_program(struct arena *a, const char *path, const char *version)
{
    struct err e = {0};
    const char *text = arena_printf(a, "#!/bin/sh\necho '%s'\n", version);
    CHECK(fs_write_atomic(a, path, text, strlen(text), &e) && chmod(path, 0700) == 0);
}

TEST(tool_is_of_the_servers_major_version)
{
    AUTO(arena) struct arena *a = arena_new();
    char folder[] = "/tmp/connection_test.XXXXXX";
    const char *path = NULL;
    struct err e = {0};
    CHECK(mkdtemp(folder) != NULL);
    const char *tool = fs_join(a, folder, "pg_dump");
    CHECK(!connection_tool(a, folder, "pg_dump", 970003, &path, &e) && e.kind == ERR_CHILD);
    CHECK(strstr(e.hint, "postgresql-client-97") != NULL && strstr(e.message, "pg_dump") != NULL);
    write_program(a, tool, "pg_dump (PostgreSQL) 97.3 (Debian 97.3-1)");
    CHECK(connection_tool(a, folder, "pg_dump", 970001, &path, &e));
    CHECK_STR(path, tool);
    /* a beta has no dot */
    write_program(a, tool, "pg_dump (PostgreSQL) 97beta1");
    CHECK(connection_tool(a, folder, "pg_dump", 970000, &path, &e));
    write_program(a, tool, "pg_dump (PostgreSQL) 98.1");
    CHECK(!connection_tool(a, folder, "pg_dump", 970001, &path, &e) && e.kind == ERR_CHILD);
    CHECK(strstr(e.detail, "98.1") != NULL);

    /* on PATH */
    const char *before = arena_strdup(a, getenv("PATH"));
    write_program(a, tool, "pg_dump (PostgreSQL) 97.3");
    setenv("PATH", arena_printf(a, "relative::%s:%s", folder, before), 1);
    CHECK(connection_tool(a, NULL, "pg_dump", 970001, &path, &e));
    CHECK_STR(path, tool);
    CHECK(!connection_tool(a, NULL, "pg_dump", 960001, &path, &e) && e.kind == ERR_CHILD);
    CHECK(strstr(e.detail, "97.3") != NULL);
    setenv("PATH", before, 1);
    CHECK(fs_remove_tree(a, folder, &e));
}

static bool read_site(struct arena *a, const char *url, const char *direct, const char *admin,
                      struct site *site, struct err *e)
{
    struct settings s;
    settings_defaults(a, &s);
    s.url = url;
    s.direct_url = direct;
    s.admin_url = admin;
    settings_finish(a, &s);
    return site_read(a, &s, site, e);
}

TEST(site_takes_the_direct_url_and_the_admins_role)
{
    AUTO(arena) struct arena *a = arena_new();
    struct site site;
    struct err e = {0};
    CHECK(!read_site(a, NULL, NULL, NULL, &site, &e) && e.kind == ERR_CONFIG);
    CHECK(strstr(e.hint, "DATABASE_URL") != NULL);
    CHECK(read_site(a, "postgres://u@h/d", NULL, NULL, &site, &e) && !site.has_admin);
    CHECK_STR(site.server.user, "u");
    CHECK(read_site(a, "postgres://u@h:6543/d", "postgres://u@h/d", NULL, &site, &e));
    CHECK(!site.live.pooled);
    CHECK_STR(site.url, "postgres://u@h/d");
    CHECK(read_site(a, "postgres://u@H/d", NULL, "postgres://adm@h/other", &site, &e));
    CHECK(site.has_admin);
    CHECK_STR(site.server.user, "adm");
    CHECK_STR(site.server.dbname, "d");
    CHECK(read_site(a, "postgres://u@localhost/d", NULL, "postgres://adm@x/?host=/run", &site, &e));
    CHECK(!read_site(a, "postgres://u@h/d", NULL, "postgres://adm@h2/d", &site, &e));
    CHECK(e.kind == ERR_CONFIG);
    CHECK(!read_site(a, "postgres://u@h/d", NULL, "postgres://adm@h:1/d", &site, &e));
    CHECK(!read_site(a, "postgres://u@h/d", NULL, "mysql://h", &site, &e));
    CHECK(strstr(e.message, "admin-url") != NULL);
    CHECK(!read_site(a, "mysql://h", "mysql://h", NULL, &site, &e));
    CHECK(strstr(e.message, "direct-url") != NULL);
}

TEST(environment_of_libpq_is_forgotten)
{
    setenv("PGPASSWORD", "x", 1);
    setenv("PGHOSTADDR", "10.0.0.1", 1);
    setenv("PG", "x", 1);
    setenv("XPG", "x", 1);
    connection_ignore_environment();
    CHECK(getenv("PGPASSWORD") == NULL && getenv("PGHOSTADDR") == NULL);
    CHECK(getenv("XPG") != NULL);
    unsetenv("XPG");
}
