#include "core/schema/acl.h"
#include "core/schema/setting.h"

#include "sample_manifest.h"
#include "tap.h"

TEST(settings_become_sql)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *name, *value, *sql;
    } cases[] = {
        {"work_mem", "64MB", "'64MB'"},
        {"application_name", "it's, \"so\"", "'it''s, \"so\"'"},
        {"search_path", "public", "'public'"},
        {"search_path", "\"$user\", public", "'$user', 'public'"},
        {"search_path", "\"a, b\", \"say \"\"x\"\"\", it's", "'a, b', 'say \"x\"', 'it''s'"},
        {"search_path", "\"\"", "''"},
        {"search_path", "", "''"},
        {"search_path", "a,b ,  c", "'a', 'b', 'c'"},
        {"Search_Path", "a, b", "'a', 'b'"},
        {"session_preload_libraries", "auto_explain, \"/x y/z\"", "'auto_explain', '/x y/z'"},
        {"datestyle", "ISO, DMY", "'ISO, DMY'"},
        {"app.list", "a, b", "'a, b'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(setting_value(a, cases[i].name, cases[i].value), cases[i].sql);
}

static struct acl parsed(struct arena *a, const char *text, const char *owner)
{
    struct acl acl = {0};
    struct err e = {0};
    CHECK(acl_parse(a, text, owner, &acl, &e));
    return acl;
}

TEST(access_rights_are_read)
{
    AUTO(arena) struct arena *a = arena_new();
    struct acl acl =
        parsed(a,
               "{=Tc/app,app=CTc/app,\"\\\"odd \\\"\\\"x\\\"\\\" = / name\\\"=c*T/app\","
               "\"b,c=c/\\\"d e\\\"\"}",
               "x");
    CHECK(acl.count == 4);
    CHECK_STR(acl.items[0].grantee, "");
    CHECK_STR(acl.items[0].privileges, "Tc");
    CHECK_STR(acl.items[2].grantee, "odd \"x\" = / name");
    CHECK_STR(acl.items[2].grantor, "app");
    CHECK_STR(acl_words(a, &acl.items[2], true), "CONNECT");
    CHECK_STR(acl_words(a, &acl.items[2], false), "TEMPORARY");
    CHECK_STR(acl.items[3].grantee, "b,c");
    CHECK_STR(acl.items[3].grantor, "d e");
    CHECK_STR(acl_words(a, &acl.items[1], false), "CREATE, TEMPORARY, CONNECT");
    CHECK_STR(acl_words(a, &acl.items[1], true), "");
    CHECK(parsed(a, "{}", "x").count == 0);
}

TEST(access_rights_that_are_none)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const bad[] = {"",          "x",        "{",          "{=c/app",
                                      "{=c/app,}", "{=x/app}", "{app=c}",    "{=c/}",
                                      "{=*c/app}", "=c/app",   "{\"=c/app}", "{=c/app}x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct acl acl;
        struct err e = {0};
        bool fine = acl_parse(a, bad[i], "app", &acl, &e);
        if (fine)
            printf("# read: %s\n", bad[i]);
        CHECK(!fine && e.kind == ERR_DAMAGED);
    }
}

TEST(access_rights_are_compared)
{
    AUTO(arena) struct arena *a = arena_new();
    struct acl none = parsed(a, NULL, "my app");
    struct acl written =
        parsed(a, "{\"\\\"my app\\\"=CTc/\\\"my app\\\"\",\"=Tc/\\\"my app\\\"\"}", "");
    struct acl less = parsed(a, "{\"\\\"my app\\\"=CTc/\\\"my app\\\"\"}", "");
    struct acl passed_on = parsed(a, "{=Tc/app,app=CTc*/app}", ""), plain = parsed(a, NULL, "app");
    CHECK(acl_equal(&none, &written));
    CHECK(!acl_equal(&none, &less) && !acl_equal(&less, &none));
    CHECK(!acl_equal(&passed_on, &plain));
    CHECK(!acl_equal(&none, &plain));
}

TEST(differences_are_told)
{
    AUTO(arena) struct arena *a = arena_new();
    struct database_facts was = sample_database(a), is = sample_database(a);
    is.name = "another";
    is.oid = "1";
    is.bytes = 0;
    CHECK(database_difference(a, &was, &is).count == 0);
    is.owner = "eve";
    is.comment = NULL;
    is.acl = NULL;
    is.connection_limit = 5;
    is.tablespace = "fast";
    is.icu_locale = "de";
    is.settings = strlist_on(a);
    strlist_add(&is.settings, "work_mem=1MB");
    strlist_add(&is.settings, "search_path=\"A b\", public");
    is.role_settings = strlist_on(a);
    is.security_labels = strlist_on(a);
    struct strlist d = database_difference(a, &was, &is);
    CHECK_STR(strlist_join(&d, "|"), "owner: eve, was shop owner|"
                                     "ICU locale: de, was none|"
                                     "tablespace: fast, was pg_default|"
                                     "comment: none, was line one\nline \"two\"|"
                                     "access rights: default, was {=Tc/app}|"
                                     "connection limit: 5, was -1|"
                                     "setting gone: work_mem=64MB|"
                                     "setting new: work_mem=1MB|"
                                     "setting of a role gone: reader: statement_timeout=5s|"
                                     "security label gone: selinux: system_u:object_r");
}

TEST(an_absent_acl_is_the_default_one)
{
    AUTO(arena) struct arena *a = arena_new();
    struct database_facts was = sample_database(a), is = sample_database(a);
    was.owner = is.owner = "app";
    was.acl = NULL;
    is.acl = "{app=CTc/app,=Tc/app}";
    CHECK(database_difference(a, &was, &is).count == 0);
    is.acl = "{}";
    CHECK(database_difference(a, &was, &is).count == 1);
    was.acl = is.acl = "nonsense";
    CHECK(database_difference(a, &was, &is).count == 0);
}
