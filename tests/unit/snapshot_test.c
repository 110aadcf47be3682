#include "core/schema/snapshot.h"

#include "tap.h"

static struct snapshot snapshot_of(struct arena *a, const char *lines)
{
    struct snapshot s = {.lines = strlist_on(a), .digest = lines};
    for (const char *p = lines; *p != '\0'; p++)
        strlist_add(&s.lines, arena_strndup(a, p, 1));
    return s;
}

static const char *difference(struct arena *a, const char *before, const char *after, size_t max)
{
    struct snapshot x = snapshot_of(a, before), y = snapshot_of(a, after);
    struct strlist d = snapshot_difference(a, &x, &y, max);
    return d.count == 0 ? "" : strlist_join(&d, ",");
}

TEST(differences_are_told_in_order)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(difference(a, "abc", "abc", 9), "");
    CHECK_STR(difference(a, "", "", 9), "");
    CHECK_STR(difference(a, "ac", "abd", 9), "+ b,- c,+ d");
    CHECK_STR(difference(a, "", "ab", 9), "+ a,+ b");
    CHECK_STR(difference(a, "ab", "", 9), "- a,- b");
    CHECK_STR(difference(a, "aa", "a", 9), "- a");
    CHECK_STR(difference(a, "abcd", "", 2), "- a,- b,and 2 more");
    CHECK_STR(difference(a, "ab", "", 2), "- a,- b");
}

TEST(equal_means_the_same_digest)
{
    AUTO(arena) struct arena *a = arena_new();
    struct snapshot x = snapshot_of(a, "ab"), y = snapshot_of(a, "ab"), z = snapshot_of(a, "ac");
    CHECK(snapshot_equal(&x, &y) && !snapshot_equal(&x, &z));
}
