/*
 * snapshot_driver - core/schema/snapshot for tests/pg/snapshot.t.
 *
 *   snapshot_driver ROLE DB lines    all lines, then the digest
 *   snapshot_driver ROLE DB each     for every line of stdin, run as SQL in a transaction of its
 *                                    own that is rolled back: "changed" or "same", the first
 *                                    difference, the SQL, with tabs between
 */
#include "core/schema/snapshot.h"

static struct pg *open_session(const char *role, const char *dbname, struct err *e)
{
    const struct pg_keyword keywords[] = {{"host", getenv("TEST_PGHOST")},
                                          {"port", getenv("TEST_PGPORT")},
                                          {"user", role},
                                          {"dbname", dbname},
                                          {NULL, NULL}};
    return pg_open(&(struct pg_params){.keywords = keywords, .query_deadline_ms = 60000}, e);
}

static bool print_lines(struct arena *a, struct pg *db, struct err *e)
{
    struct snapshot s;
    if (!snapshot_take(a, db, &s, e))
        return false;
    for (size_t i = 0; i < s.lines.count; i++)
        puts(s.lines.items[i]);
    puts(s.digest);
    return true;
}

static bool try_one(struct pg *db, const struct snapshot *before, const char *sql, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct snapshot inside;
    if (!pg_exec(db, "BEGIN", e))
        return false;
    if (!pg_exec(db, sql, e)) {
        printf("error\t%s\t%s\n", e->message, sql);
        return pg_exec(db, "ROLLBACK", e);
    }
    if (!snapshot_take(a, db, &inside, e) || !pg_exec(db, "ROLLBACK", e))
        return false;
    struct strlist difference = snapshot_difference(a, before, &inside, 1);
    printf("%s\t%s\t%s\n", snapshot_equal(before, &inside) ? "same" : "changed",
           difference.count > 0 ? difference.items[0] : "", sql);
    return true;
}

static bool try_each(struct arena *a, struct pg *db, struct err *e)
{
    static char line[8192];
    struct snapshot before, after;
    if (!snapshot_take(a, db, &before, e))
        return false;
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0' && !try_one(db, &before, line, e))
            return false;
    }
    if (!snapshot_take(a, db, &after, e))
        return false;
    return snapshot_equal(&before, &after) || err_set(e, ERR_INTERNAL, "not back after rollback");
}

int main(int argc, char **argv)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    if (argc != 4)
        return 64;
    AUTO(pg) struct pg *db = open_session(argv[1], argv[2], &e);
    bool ok =
        db != NULL && (strcmp(argv[3], "each") == 0 ? try_each(a, db, &e) : print_lines(a, db, &e));
    if (!ok)
        fprintf(stderr, "%s %s\n", e.message, e.sqlstate);
    return ok ? 0 : 1;
}
