#include "base/fs.h"
#include "base/log.h"
#include "base/nearest.h"
#include "core/settings/table.h"

#include "tap.h"

#include <unistd.h>

/* A folder of its own as the current one; gone at the end of the test. */
struct place {
    struct arena *arena;
    char *before, *folder;
};

static struct place place_open(void)
{
    struct arena *a = arena_new();
    struct place p = {.arena = a,
                      .before = setting_current_folder(a),
                      .folder = arena_strdup(a, "/tmp/settings_test.XXXXXX")};
    CHECK(mkdtemp(p.folder) != NULL && chdir(p.folder) == 0);
    for (size_t i = 0; i < setting_row_count; i++) {
        unsetenv(setting_env_name(a, &setting_rows[i]));
        if (setting_rows[i].second != NULL)
            unsetenv(setting_rows[i].second);
    }
    return p;
}

static void place_close(struct place p)
{
    struct err e = {0};
    CHECK(chdir(p.before) == 0 && fs_remove_tree(p.arena, p.folder, &e));
    arena_free(p.arena);
}
DEFINE_AUTO(place, struct place, place_close);

static void put(struct place *p, const char *path, const char *text)
{
    struct err e = {0};
    CHECK(fs_mkdirs(p->arena, fs_dirname(p->arena, path), &e));
    CHECK(fs_write_atomic(p->arena, path, text, strlen(text), &e));
}

static const char *text_of(struct place *p, const struct settings *s, const char *key)
{
    const char *text = setting_text(p->arena, s, setting_find(key));
    return text == NULL ? "(none)" : text;
}

static bool parses(const char *key, const char *value)
{
    AUTO(arena) struct arena *a = arena_new();
    struct settings s;
    struct err e = {0};
    settings_defaults(a, &s);
    bool ok = settings_set(a, &s, key, value, FROM_FLAG, &e);
    CHECK(ok || (e.kind == ERR_CONFIG && strstr(e.message, key) != NULL));
    return ok;
}

TEST(setting_durations_take_the_servers_units)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},          {"1ms", 1},
                {"5s", 5000},      {"5 s", 5000},
                {"2min", 120000},  {"3h", 3 * 3600000L},
                {"1d", 86400000L}, {"24d", 24 * 86400000L},
                {"0s", 0},         {"2147483647ms", 2147483647L}};
    static const char *const bad[] = {
        "",     "5",       "s",   "-5s", "5 m",          "5S",
        "1.5s", "5s rest", "+5s", "25d", "2147483648ms", "99999999999999999999s",
        " 5s",  "1e3ms"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t ms = -1;
        CHECK(setting_parse_duration_ms(good[i].text, &ms) && ms == good[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!parses("lock-timeout", bad[i]));
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(setting_duration_text(a, 90000), "90s");
    CHECK_STR(setting_duration_text(a, 3600000), "1h");
    CHECK_STR(setting_duration_text(a, 1), "1ms");
    CHECK_STR(setting_duration_text(a, 0), "0");
}

TEST(setting_values_are_checked_by_type)
{
    static const char *const yes[] = {"on", "true", "yes", "1", "off", "false", "no", "0"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        CHECK(parses("backup-after", yes[i]));
    CHECK(!parses("backup-after", "ON") && !parses("backup-after", "") &&
          !parses("backup-after", "2"));
    CHECK(parses("attempts", "1") && !parses("attempts", "0") && !parses("attempts", "-1"));
    CHECK(parses("hook-timeout", "1ms") && !parses("hook-timeout", "0") &&
          !parses("hook-timeout", "0s"));
    CHECK(!parses("attempts", "1x") && !parses("attempts", "") &&
          !parses("attempts", "2147483648"));
    CHECK(parses("keep-last", "0") && !parses("jobs", "0"));
    CHECK(parses("gate", "warn") && !parses("gate", "Warn") && !parses("gate", "") &&
          !parses("gate", "error|warn"));
    CHECK(!parses("no-such", "x"));
}

TEST(setting_choices_and_defaults_are_of_their_type)
{
    AUTO(arena) struct arena *a = arena_new();
    struct settings s;
    settings_defaults(a, &s);
    struct strlist words = setting_words(a, setting_find("gate"));
    CHECK_STR(strlist_join(&words, " "), "error warn off");
    for (size_t i = 0; i < setting_row_count; i++)
        if (setting_rows[i].type == SETTING_CHOICE)
            CHECK(setting_words(a, &setting_rows[i]).count >= 2);
    CHECK(s.attempts == 3 && s.jobs == -1 && s.lock_timeout_ms == 5000 && s.backup_after);
    CHECK(s.allow.count == 0 && s.url == NULL && s.from.attempts == FROM_DEFAULT);
    CHECK(settings_is_flag("backup-after") && !settings_is_flag("url") &&
          !settings_is_flag("nope"));
    CHECK(settings_is_secret("url") && !settings_is_secret("gate") && settings_has("gate"));
    CHECK_STR(settings_env_names(a, "backup-dir"), "MIGSAFE_BACKUP_DIR or BACKUP_DIR");
    CHECK_STR(settings_env_names(a, "gate"), "MIGSAFE_GATE");
}

TEST(settings_the_stronger_source_counts)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    put(&p, "migsafe.json",
        "{\"$schema\": \"x\", \"lock-timeout\": \"1s\", \"attempts\": 7, \"gate\": \"off\","
        " \"fence\": \"on\", \"backup-after\": false, \"allow\": [\"a:b\", \"c:d\"]}");
    put(&p, ".env",
        "MIGSAFE_LOCK_TIMEOUT=2s\nMIGSAFE_ATTEMPTS=8\nMIGSAFE_GATE=warn\nOTHER=1\n"
        "MIGSAFE_NOPE=1\n");
    setenv("MIGSAFE_LOCK_TIMEOUT", "3s", 1);
    setenv("MIGSAFE_ATTEMPTS", "9", 1);
    setenv("MIGSAFE_RUN_ID", "is not a setting", 1);
    settings_defaults(p.arena, &s);
    CHECK(settings_set(p.arena, &s, "lock-timeout", "4s", FROM_FLAG, &e));
    CHECK(settings_read(p.arena, &s, NULL, &e));
    CHECK(s.lock_timeout_ms == 4000 && s.from.lock_timeout_ms == FROM_FLAG);
    CHECK(s.attempts == 9 && s.from.attempts == FROM_ENV);
    CHECK(s.from.gate == FROM_DOTENV && s.from.fence == FROM_FILE);
    CHECK(s.from.rehearse == FROM_DEFAULT && !s.backup_after);
    CHECK_STR(s.gate, "warn");
    CHECK_STR(text_of(&p, &s, "allow"), "a:b,c:d");
    CHECK(s.warnings.count == 1 && strstr(s.warnings.items[0], "MIGSAFE_NOPE") != NULL);
    CHECK(s.dotenv.count == 1 && s.file != NULL);
    unsetenv("MIGSAFE_RUN_ID");

    /* The other way round: a weaker source does not replace. */
    CHECK(settings_set(p.arena, &s, "lock-timeout", "9s", FROM_ENV, &e));
    CHECK(s.lock_timeout_ms == 4000);
    CHECK(settings_set(p.arena, &s, "lock-timeout", "10s", FROM_FLAG, &e));
    CHECK(s.lock_timeout_ms == 10000);
}

TEST(settings_a_list_grows_within_one_source)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    setenv("MIGSAFE_ALLOW", "env:1", 1);
    CHECK(settings_load(p.arena, &s, NULL, &e));
    CHECK_STR(text_of(&p, &s, "allow"), "env:1");
    CHECK(settings_set(p.arena, &s, "allow", "a:1, b:2,", FROM_FLAG, &e));
    CHECK(settings_set(p.arena, &s, "allow", "c:3", FROM_FLAG, &e));
    CHECK_STR(text_of(&p, &s, "allow"), "a:1,b:2,c:3");
    unsetenv("MIGSAFE_ALLOW");
}

TEST(settings_second_names_and_empty_variables)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    setenv("DATABASE_URL", "second", 1);
    CHECK(settings_load(p.arena, &s, NULL, &e));
    CHECK_STR(s.url, "second");
    setenv("MIGSAFE_URL", "first", 1);
    CHECK(settings_load(p.arena, &s, NULL, &e));
    CHECK_STR(s.url, "first");
    setenv("MIGSAFE_URL", "", 1);
    setenv("DATABASE_URL", "", 1);
    put(&p, ".env", "DATABASE_URL=file-second\nMIGSAFE_DIRECT_URL=d1\nDIRECT_URL=d2\n");
    CHECK(settings_load(p.arena, &s, NULL, &e));
    CHECK_STR(s.url, "file-second");
    CHECK_STR(s.direct_url, "d1");
    CHECK(settings_set(p.arena, &s, "url", "", FROM_FLAG, &e) && s.url == NULL);
}

TEST(settings_file_errors_name_file_and_key)
{
    AUTO(place) struct place p = place_open();
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"{\"lock-timout\": \"1s\"}", "lock-timout"},
        {"{\"lock-timeout\": 5}", "lock-timeout"},
        {"{\"lock-timeout\": {\"a\": 1}}", "lock-timeout"},
        {"{\"gate\": [\"error\"]}", "gate"},
        {"{\"gate\": null}", "gate"},
        {"{\"attempts\": 1.5}", "attempts"},
        {"{\"allow\": [1]}", "allow"},
        {"{\"gate\": \"off\", \"gate\": \"warn\"}", "twice"},
        {"{\"webhook\": {\"url\": \"x\"}}", "webhook"},
        {"[]", "object"},
        {"{\"gate\": \"off\",}", "line 1"},
        {"{} x", "line 1"},
        {"", "line 1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct settings s;
        struct err e = {0};
        put(&p, "migsafe.json", cases[i].text);
        CHECK(!settings_load(p.arena, &s, NULL, &e) && e.kind == ERR_CONFIG);
        CHECK(strstr(e.message, "migsafe.json") != NULL);
        CHECK(strstr(e.message, cases[i].words) != NULL);
    }
    struct settings s;
    struct err e = {0};
    CHECK(!settings_load(p.arena, &s, "missing.json", &e) && e.kind == ERR_CONFIG);
    put(&p, "migsafe.json", "{\"lock-timout\": \"1s\"}");
    CHECK(!settings_load(p.arena, &s, NULL, &e) && strstr(e.hint, "lock-timeout") != NULL);
    CHECK(unlink("migsafe.json") == 0);
    put(&p, ".env", "MIGSAFE_ATTEMPTS=x\n");
    CHECK(!settings_load(p.arena, &s, NULL, &e) && strstr(e.message, ".env") != NULL);
    CHECK(strstr(e.message, "MIGSAFE_ATTEMPTS") != NULL);
}

TEST(settings_unknown_variables_are_errors_with_advice)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    setenv("MIGSAFE_LOCK_TIMOUT", "1s", 1);
    CHECK(!settings_load(p.arena, &s, NULL, &e) && e.kind == ERR_CONFIG);
    CHECK(strstr(e.hint, "MIGSAFE_LOCK_TIMEOUT") != NULL);
    unsetenv("MIGSAFE_LOCK_TIMOUT");
    setenv("MIGSAFE_QQQQQQQQQ", "1", 1);
    CHECK(!settings_load(p.arena, &s, NULL, &e) && strstr(e.hint, "Perhaps") == NULL);
    unsetenv("MIGSAFE_QQQQQQQQQ");
    setenv("MIGSAFE_LOCK_TIMEOUT", "5", 1);
    CHECK(!settings_load(p.arena, &s, NULL, &e));
    CHECK(strstr(e.message, "MIGSAFE_LOCK_TIMEOUT") != NULL);
    unsetenv("MIGSAFE_LOCK_TIMEOUT");
}

TEST(settings_no_error_shows_a_secret)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    put(&p, "migsafe.json", "{\"url\": \"postgres://u:geheim@h/d\", \"url\": \"geheim\"}");
    CHECK(!settings_load(p.arena, &s, NULL, &e));
    CHECK(strstr(e.message, "geheim") == NULL && strstr(e.detail, "geheim") == NULL);
}

TEST(settings_paths_are_relative_to_who_names_them)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    struct arena *a = p.arena;
    put(&p, "etc/migsafe.json",
        "{\"state-dir\": \"./state/\", \"schema\": \"/abs/schema.prisma\"}");
    put(&p, "etc/.env", "MIGSAFE_PG_BIN=bin\n");
    put(&p, "etc/hooks/x", "");
    setenv("MIGSAFE_LOG_FILE", "log/x.log", 1);
    settings_defaults(a, &s);
    CHECK(settings_set(a, &s, "prisma", "./cli/index.js", FROM_FLAG, &e));
    CHECK(settings_read(a, &s, "etc/migsafe.json", &e));
    settings_finish(a, &s);
    CHECK_STR(s.state_dir, fs_join(a, p.folder, "etc/state"));
    CHECK_STR(s.schema, "/abs/schema.prisma");
    CHECK_STR(s.pg_bin, fs_join(a, p.folder, "etc/bin"));
    CHECK_STR(s.log_file, fs_join(a, p.folder, "log/x.log"));
    CHECK_STR(s.prisma, fs_join(a, p.folder, "cli/index.js"));
    CHECK_STR(s.backup_dir, fs_join(a, p.folder, "etc/backups"));
    CHECK_STR(s.project, fs_join(a, p.folder, "etc"));
    CHECK_STR(s.hooks_dir, fs_join(a, p.folder, "etc/hooks"));
    unsetenv("MIGSAFE_LOG_FILE");

    CHECK(settings_load(a, &s, NULL, &e));
    CHECK(settings_set(a, &s, "prisma", "prisma", FROM_FLAG, &e));
    settings_finish(a, &s);
    CHECK_STR(s.backup_dir, fs_join(a, p.folder, "backups"));
    CHECK_STR(s.state_dir, fs_join(a, p.folder, "backups/.migsafe"));
    CHECK_STR(s.project, p.folder);
    CHECK_STR(s.prisma, "prisma");
    CHECK(s.hooks_dir == NULL && s.jobs >= 1 && s.jobs <= 8);
}

TEST(settings_dotenv_is_found_where_prisma_looks)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    struct arena *a = p.arena;
    put(&p, "repo/package.json", "{}");
    put(&p, "repo/.env", "MIGSAFE_WAIT=2s\nMIGSAFE_ATTEMPTS=2\n");
    put(&p, "repo/packages/db/schema/x.prisma", "");
    put(&p, "repo/packages/db/schema/.env", "MIGSAFE_WAIT=3s\nMIGSAFE_JOBS=3\n");
    put(&p, "repo/packages/db/prisma/.env", "MIGSAFE_JOBS=4\nMIGSAFE_KEEP_LAST=4\n");
    put(&p, "repo/packages/db/.env", "MIGSAFE_KEEP_LAST=5\nMIGSAFE_GATE=off\n");
    put(&p, ".env", "MIGSAFE_ATTEMPTS=1\n");
    settings_defaults(a, &s);
    CHECK(settings_set(a, &s, "project", "repo/packages/db", FROM_FLAG, &e));
    CHECK(settings_set(a, &s, "schema", "repo/packages/db/schema", FROM_FLAG, &e));
    CHECK(settings_read(a, &s, NULL, &e));
    CHECK(s.attempts == 1 && s.wait_ms == 2000 && s.jobs == 3 && s.keep_last == 4);
    CHECK_STR(s.gate, "off");
    CHECK(s.dotenv.count == 5);
}

TEST(settings_finish_makes_secrets_known_to_the_log)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    char clean[256];
    settings_defaults(p.arena, &s);
    CHECK(settings_set(p.arena, &s, "url", "postgres://u:p%40ss-one@h/d", FROM_FLAG, &e));
    CHECK(settings_set(p.arena, &s, "direct-url", "postgres://u:pa/ss-two@h/d", FROM_FLAG, &e));
    CHECK(settings_set(p.arena, &s, "webhook-url", "https://h.example/T0/token", FROM_FLAG, &e));
    CHECK(settings_set(p.arena, &s, "webhook-secret", "whsec_three", FROM_FLAG, &e));
    settings_finish(p.arena, &s);
    log_redact("p%40ss-one p@ss-one pa/ss-two T0/token whsec_three h.example", clean,
               sizeof(clean));
    CHECK_STR(clean, "*** *** *** *** *** h.example");
}

TEST(settings_output_hides_secrets)
{
    AUTO(place) struct place p = place_open();
    struct settings s;
    struct err e = {0};
    char *text = NULL;
    size_t size;
    settings_defaults(p.arena, &s);
    CHECK(settings_set(p.arena, &s, "url", "geheim", FROM_FLAG, &e));
    AUTO(json) struct json *j = json_object();
    settings_json(p.arena, &s, j);
    CHECK(strstr(json_text(p.arena, j), "geheim") == NULL);
    CHECK_STR(json_str(json_find(j, "url"), "value", ""), "***");
    CHECK_STR(json_str(json_find(j, "url"), "source", ""), "option");
    FILE *f = open_memstream(&text, &size);
    settings_print(p.arena, &s, f);
    fclose(f);
    CHECK(strstr(text, "geheim") == NULL && strstr(text, "***") != NULL);
    free(text);
}

TEST(nearest_finds_what_was_meant)
{
    AUTO(arena) struct arena *a = arena_new();
    struct strlist words = strlist_on(a);
    static const char *const known[] = {"deploy", "doctor", "wait", "lock-timeout"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        strlist_add(&words, known[i]);
    CHECK(str_same(nearest(&words, "depoly"), "deploy"));
    CHECK(str_same(nearest(&words, "wai"), "wait"));
    CHECK(str_same(nearest(&words, "lock_timeout"), "lock-timeout"));
    CHECK(nearest(&words, "zzz") == NULL && nearest(&words, "") == NULL);
    char longest[300];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    CHECK(nearest(&words, longest) == NULL);
}
