#include "core/prisma/deploy.h"

#include "tap.h"

static bool elsewhere(const char *url, const char *database, const char *location)
{
    AUTO(arena) struct arena *a = arena_new();
    struct connection live;
    struct err e = {0};
    CHECK(connection_parse(a, url, "/", &live, &e));
    return prisma_is_elsewhere(&live, url, database, location);
}

TEST(ours_is_what_the_url_says)
{
    static const char url[] = "postgresql://u:p@db.example:5433/app?schema=x";
    CHECK(!elsewhere(url, "app", "db.example:5433"));
    CHECK(!elsewhere(url, "app", "DB.example:5433"));
    CHECK(!elsewhere(url, "app", "db.example"));
    CHECK(!elsewhere(url, "app", NULL));
    CHECK(!elsewhere(url, NULL, NULL));
    CHECK(elsewhere(url, "app", "db.example:5432"));
    CHECK(elsewhere(url, "app", "db.example.org:5433"));
    CHECK(elsewhere(url, "app", "db"));
    CHECK(elsewhere(url, "other", "db.example:5433"));
    CHECK(elsewhere(url, "ap", NULL));
}

TEST(a_socket_is_printed_as_the_host_before_it)
{
    static const char url[] = "postgresql://u@localhost/app?host=/run/postgresql";
    CHECK(!elsewhere(url, "app", "localhost"));
    CHECK(!elsewhere(url, "app", "localhost:5432"));
    CHECK(elsewhere(url, "app", "localhost:5433"));
    CHECK(elsewhere(url, "app", "other:5432"));
    CHECK(!elsewhere("postgresql:///app?host=/run/postgresql", "app", NULL));
    CHECK(!elsewhere("postgresql://one/app?host=two", "app", "two:5432"));
}

TEST(odd_urls_are_ours_too)
{
    CHECK(!elsewhere("postgresql://u:p@ss@[::1]:5433/app", "app", "[::1]:5433"));
    CHECK(!elsewhere("postgresql://localhost", "postgres", "localhost"));
    CHECK(!elsewhere("postgresql://localhost/app/more", "app/more", "localhost"));
    CHECK(!elsewhere("postgresql://localhost/my%20app", "my%20app", "localhost"));
    CHECK(!elsewhere("postgresql://localhost/my app", "my%20app", "localhost"));
}
