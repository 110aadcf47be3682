#include "core/fence/fence.h"

#include "tap.h"

TEST(a_mark_is_read_as_it_was_written)
{
    AUTO(arena) struct arena *a = arena_new();
    struct fence_mark m;
    CHECK(fence_parse(a, "migsafe-fence run=r1 until=2026-11-20T19:46:09.123Z was=none", &m));
    CHECK_STR(m.run, "r1");
    CHECK_STR(m.until, "2026-11-20T19:46:09.123Z");
    CHECK(m.was_setting == NULL && m.was_comment == NULL && !m.expired);

    CHECK(fence_parse(a, "migsafe-fence run=r1 until=u was=on\n\nthe shop\nof Zoë ", &m));
    CHECK_STR(m.was_setting, "on");
    CHECK_STR(m.was_comment, "\nthe shop\nof Zoë ");
    CHECK_STR(fence_comment(a, &m), "migsafe-fence run=r1 until=u was=on\n\nthe shop\nof Zoë ");

    const char *const none[] = {
        NULL,
        "",
        "the shop",
        "the shop\nmigsafe-fence run=r1 until=u was=on",
        "migsafe-fence",
        "migsafe-fence run= until=u was=on",
        "migsafe-fence run=r1",
        "migsafe-fence run=r1 until=u",
        "migsafe-fence run=r1 until=u was=",
        "migsafe-fence run=r1 until=u was=on and more",
        "migsafe-fence run=r1\nuntil=u was=on",
        "migsafe kept of app run r1 at u",
    };
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        CHECK(!fence_parse(a, none[i], &m) && m.run == NULL);
}

static struct strlist list(struct arena *a, const char *const *items, size_t count)
{
    struct strlist l = strlist_on(a);
    for (size_t i = 0; i < count; i++)
        strlist_add(&l, items[i]);
    return l;
}

static const char *without(struct arena *a, const char *comment, const char *const *settings,
                           size_t count)
{
    struct database_facts f = {.comment = comment, .settings = list(a, settings, count)};
    fence_take_out(a, &f);
    return arena_printf(a, "%s|%s", f.comment == NULL ? "-" : f.comment,
                        strlist_join(&f.settings, ","));
}

TEST(facts_are_those_without_the_fence)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *const fenced[] = {"work_mem=7MB", "default_transaction_read_only=on", "jit=off"};
    const char *const changed[] = {"default_transaction_read_only=off"};
    CHECK_STR(without(a, "migsafe-fence run=r until=u was=none\nthe shop", fenced, 3),
              "the shop|work_mem=7MB,jit=off");
    CHECK_STR(without(a, "migsafe-fence run=r until=u was=false", fenced, 3),
              "-|work_mem=7MB,default_transaction_read_only=false,jit=off");
    /* What a migration has set under the fence is its own. */
    CHECK_STR(without(a, "migsafe-fence run=r until=u was=none", changed, 1),
              "-|default_transaction_read_only=off");
    CHECK_STR(without(a, "the shop", fenced, 3),
              "the shop|work_mem=7MB,default_transaction_read_only=on,jit=off");
}

TEST(the_setting_of_before_is_set_again)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *const on[] = {"on", "ON", "true", "t", "yes", "1"};
    const char *const off[] = {NULL, "off", "false", "no", "0"};
    for (size_t i = 0; i < ARRAY_LEN(on); i++)
        CHECK(fence_was_on(&(struct fence_mark){.was_setting = on[i]}));
    for (size_t i = 0; i < ARRAY_LEN(off); i++)
        CHECK(!fence_was_on(&(struct fence_mark){.was_setting = off[i]}));
    CHECK_STR(fence_setting_sql(a, "a\"b", &(struct fence_mark){0}),
              "ALTER DATABASE \"a\"\"b\" RESET default_transaction_read_only");
    CHECK_STR(fence_setting_sql(a, "b", &(struct fence_mark){.was_setting = "fal'se"}),
              "ALTER DATABASE \"b\" SET default_transaction_read_only TO 'fal''se'");
}
