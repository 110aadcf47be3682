#include "core/backup/retention.h"

#include "sample_manifest.h"
#include "tap.h"
#include "tree.h"

enum { DAY = 86400, NOW = 1800000000 };

static const struct retention rules = {
    .keep_last = 2, .daily_days = 7, .weekly_days = 30, .emergency_days = 30, .now = NOW};

/* One backup in short: "reason kind age" and what else is so about it. */
struct backup {
    const char *reason, *kind;
    int age;          /* in days */
    const char *also; /* "pinned", "verified", "damaged", "other", "bad check", "there" (on another
                         server), or NULL */
    const char *why;  /* why it is kept; "-" begins why it is removed */
};

static struct store store_of(struct arena *a, const struct backup *list, size_t count)
{
    static struct manifest_check good = {"restore", "", "ok"}, bad = {"restore", "", "rows differ"};
    struct store s = {arena_array(a, count, sizeof(*s.items)), count};
    for (size_t i = 0; i < count; i++) {
        const char *also = list[i].also == NULL ? "" : list[i].also;
        struct stored *b = &s.items[i];
        b->id = arena_printf(a, "%zu", i);
        b->taken_at = NOW - (int64_t)list[i].age * DAY;
        b->damage = strcmp(also, "damaged") == 0 ? "torn" : NULL;
        if (b->damage != NULL)
            continue;
        b->manifest.database.name = strcmp(also, "other") == 0 ? "other" : "app";
        b->manifest.server = strcmp(also, "there") == 0  ? "2"
                             : strcmp(also, "here") == 0 ? "1"
                                                         : NULL;
        b->manifest.kind = list[i].kind;
        b->manifest.reason = list[i].reason;
        b->manifest.pinned = strcmp(also, "pinned") == 0;
        b->manifest.verified_count =
            strcmp(also, "verified") == 0 || strcmp(also, "bad check") == 0;
        b->manifest.verified = strcmp(also, "verified") == 0 ? &good : &bad;
    }
    return s;
}

static void decide(const struct backup *list, size_t count, const char *database,
                   const struct retention *r)
{
    AUTO(arena) struct arena *a = arena_new();
    struct store s = store_of(a, list, count);
    const struct retention_choice *choices = retention_decide(a, &s, database, r);
    for (size_t i = 0; i < count; i++) {
        const char *got = arena_printf(a, "%s%s", choices[i].keep ? "" : "-", choices[i].why);
        CHECK(choices[i].backup == &s.items[i]);
        if (strcmp(got, list[i].why) != 0)
            printf("# backup %zu\n", i);
        CHECK_STR(got, list[i].why);
    }
}

#define DECIDE(r, ...)                               \
    do {                                             \
        const struct backup list_[] = {__VA_ARGS__}; \
        decide(list_, ARRAY_LEN(list_), "app", (r)); \
    } while (0)

TEST(the_last_of_a_reason_and_kind_are_kept)
{
    DECIDE(&rules, {"pre-deploy", "full", 90, NULL, "-2 newer ones of pre-deploy, full"},
           {"pre-deploy", "data", 90, NULL, "one of the last 2 of pre-deploy, data"},
           {"hourly", "full", 80, NULL, "-2 newer ones of hourly, full"},
           {"post-deploy", "full", 70, NULL, "one of the last 2 of post-deploy, full"},
           {"hourly", "full", 60, NULL, "one of the last 2 of hourly, full"},
           {"hourly", "full", 50, NULL, "one of the last 2 of hourly, full"},
           {"pre-deploy", "full", 40, NULL, "one of the last 2 of pre-deploy, full"},
           {"pre-deploy", "full", 0, NULL, "one of the last 2 of pre-deploy, full"});
}

TEST(the_same_name_on_another_server_is_counted_apart)
{
    DECIDE(&rules, {"hourly", "full", 9, "there", "one of the last 2 of hourly, full"},
           {"hourly", "full", 8, "here", "-2 newer ones of hourly, full"},
           {"hourly", "full", 7, "here", "-2 newer ones of hourly, full"},
           {"hourly", "full", 6, "here", "one of the last 2 of hourly, full"},
           {"hourly", "full", 5, "here", "one of the last 2 of hourly, full"},
           {"hourly", "full", 4, "there", "one of the last 2 of hourly, full"});
}

TEST(one_that_tells_no_server_takes_no_place_of_one_that_does)
{
    DECIDE(&rules, {"hourly", "full", 9, NULL, "-2 newer ones of hourly, full"},
           {"hourly", "full", 8, "here", "one of the last 2 of hourly, full"},
           {"hourly", "full", 7, "here", "one of the last 2 of hourly, full"},
           {"hourly", "full", 6, NULL, "one of the last 2 of hourly, full"},
           {"hourly", "full", 5, NULL, "one of the last 2 of hourly, full"});
}

TEST(days_count_to_the_second)
{
    AUTO(arena) struct arena *a = arena_new();
    DECIDE(&rules, {"weekly", "full", 31, NULL, "-weekly: kept for 30 days"},
           {"weekly", "full", 30, NULL, "-weekly: kept for 30 days"},
           {"emergency", "full", 30, NULL, "-emergency: kept for 30 days"},
           {"emergency", "data", 29, NULL, "emergency: kept for 30 days"},
           {"weekly", "full", 29, NULL, "weekly: kept for 30 days"},
           {"daily", "full", 8, NULL, "-daily: kept for 7 days"},
           {"daily", "full", 7, NULL, "-daily: kept for 7 days"},
           {"daily", "full", 6, NULL, "daily: kept for 7 days"},
           {"daily", "full", -1, NULL, "daily: kept for 7 days"});
    const struct backup list[] = {{"daily", "full", 7, NULL, ""}, {"manual", "full", 0, NULL, ""}};
    struct store s = store_of(a, list, 2);
    s.items[0].taken_at++;
    CHECK(retention_decide(a, &s, "app", &rules)[0].keep);
}

TEST(manual_and_unknown_reasons_are_for_ever)
{
    DECIDE(&rules, {"manual", "full", 4000, NULL, "manual: kept for ever"},
           {"of-a-newer-one", "full", 3000, NULL, "of-a-newer-one: kept for ever"},
           {"manual", "full", 0, NULL, "manual: kept for ever"});
}

TEST(pinned_and_damaged_stay)
{
    DECIDE(&rules, {"daily", "full", 99, "pinned", "pinned"},
           {"daily", "full", 99, "damaged", "damaged: look at it, remove it by hand"},
           {"daily", "full", 98, NULL, "-daily: kept for 7 days"},
           {"daily", "full", 1, NULL, "daily: kept for 7 days"});
}

TEST(the_newest_usable_of_each_kind_stays)
{
    /* The damaged one at the end is the newest, but of no use. */
    DECIDE(&rules, {"daily", "data", 99, NULL, "-daily: kept for 7 days"},
           {"daily", "data", 98, NULL, "the newest of data"},
           {"daily", "full", 97, NULL, "-daily: kept for 7 days"},
           {"weekly", "full", 90, NULL, "the newest of full"},
           {"daily", "full", 0, "damaged", "damaged: look at it, remove it by hand"});
    DECIDE(&rules, {"daily", "full", 97, NULL, "-daily: kept for 7 days"},
           {"manual", "full", 96, NULL, "manual: kept for ever"});
}

TEST(a_damaged_one_takes_no_place)
{
    DECIDE(&rules, {"hourly", "full", 4, NULL, "-2 newer ones of hourly, full"},
           {"hourly", "full", 3, NULL, "one of the last 2 of hourly, full"},
           {"hourly", "full", 2, "damaged", "damaged: look at it, remove it by hand"},
           {"hourly", "full", 1, NULL, "one of the last 2 of hourly, full"});
}

TEST(the_newest_verified_stays)
{
    DECIDE(&rules, {"hourly", "full", 9, "verified", "-2 newer ones of hourly, full"},
           {"hourly", "full", 8, "verified", "the newest verified of full"},
           {"hourly", "full", 7, "bad check", "-2 newer ones of hourly, full"},
           {"hourly", "data", 6, "verified", "one of the last 2 of hourly, data"},
           {"hourly", "full", 5, NULL, "one of the last 2 of hourly, full"},
           {"hourly", "full", 4, NULL, "one of the last 2 of hourly, full"});
}

TEST(other_databases_are_left_alone_and_do_not_count)
{
    DECIDE(&rules, {"hourly", "full", 9, "other", "another database"},
           {"hourly", "full", 8, NULL, "one of the last 2 of hourly, full"},
           {"hourly", "full", 7, "other", "another database"},
           {"hourly", "full", 6, NULL, "one of the last 2 of hourly, full"},
           {"hourly", "full", 5, "other", "another database"});
    const struct backup each[] = {
        {"daily", "full", 99, "other", "-daily: kept for 7 days"},
        {"daily", "full", 98, "other", "the newest of full"},
        {"daily", "full", 97, NULL, "-daily: kept for 7 days"},
        {"daily", "full", 96, NULL, "the newest of full"},
    };
    decide(each, ARRAY_LEN(each), NULL, &rules);
}

TEST(nothing_to_keep_still_keeps_the_newest)
{
    const struct retention none = {.now = NOW};
    DECIDE(&none, {"hourly", "full", 2, NULL, "-0 newer ones of hourly, full"},
           {"daily", "full", 1, NULL, "-daily: kept for 0 days"},
           {"hourly", "full", 0, NULL, "the newest of full"});
    DECIDE(&none, {"hourly", "full", 0, "damaged", "damaged: look at it, remove it by hand"});
}

static void put(struct arena *a, const char *dir, const char *id, const char *started_at)
{
    struct err e = {0};
    struct manifest m = sample_manifest(a, id, "full");
    m.pinned = false;
    m.verified_count = 0;
    m.reason = "daily";
    m.started_at = started_at;
    tree_file(dir, arena_printf(a, "%s/toc.dat", id), "");
    CHECK(manifest_write(a, fs_join(a, dir, id), &m, &e));
}

/* prune of that database. */
static struct retention_run applied(struct arena *a, const char *dir, const char *database,
                                    bool dry)
{
    struct err e = {0};
    struct retention_run run = {
        .backup_dir = dir, .database = database, .rules = rules, .dry = dry};
    CHECK(retention_apply(a, &run, &e));
    CHECK(e.kind == ERR_NONE);
    return run;
}

TEST(what_is_decided_is_done_but_not_in_a_dry_run)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    put(a, dir, "app_20260101_000000_full", "2026-01-01T00:00:00.000Z");
    put(a, dir, "app_20260102_000000_full", "2026-01-02T00:00:00.000Z");
    tree_file(dir, "app_20251231_000000_full.removed/x", "");
    struct retention_run run = applied(a, dir, "App", true);
    CHECK(run.store.count == 2 && !run.choices[0].keep && run.choices[1].keep);
    CHECK(fs_exists(fs_join(a, dir, "app_20260101_000000_full")));
    CHECK(fs_exists(fs_join(a, dir, "app_20251231_000000_full.removed")));
    applied(a, dir, "app", false);
    CHECK(fs_exists(fs_join(a, dir, "app_20260101_000000_full")));
    CHECK(!fs_exists(fs_join(a, dir, "app_20251231_000000_full.removed")));
    applied(a, dir, "App", false);
    CHECK(!fs_exists(fs_join(a, dir, "app_20260101_000000_full")));
    CHECK(fs_exists(fs_join(a, dir, "app_20260102_000000_full")));
    CHECK(applied(a, fs_join(a, dir, "none"), "App", false).store.count == 0);
}
