/*
 * database_driver - core/schema/database.h for tests/pg/database.t.
 *
 *     database_driver HOST PORT ROLE difference WAS IS
 *     database_driver HOST PORT ROLE apply FROM TARGET
 *
 * apply gives TARGET what FROM has, on the way through JSON as a manifest does.
 * Prints differences, or "SQLSTATE message / hint" of a failure; exit status 1 then.
 */
#include "core/schema/database.h"

static int failure(const struct err *e)
{
    printf("%s %s / %s\n", e->sqlstate, e->message, e->hint);
    return 1;
}

static bool through_json(struct arena *a, struct database_facts *f, struct err *e)
{
    AUTO(json) struct json *out = json_object();
    database_json(f, out);
    const char *text = json_text(a, out);
    AUTO(json) struct json *in = json_parse(text, strlen(text), e);
    return in != NULL && database_from_json(a, in, f, e);
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 64;
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct database_facts was, is;
    const struct pg_keyword keywords[] = {{"host", argv[1]},
                                          {"port", argv[2]},
                                          {"user", argv[3]},
                                          {"dbname", "postgres"},
                                          {NULL, NULL}};
    AUTO(pg) struct pg *db = pg_open(&(struct pg_params){.keywords = keywords}, &e);
    if (db == NULL || !database_read(a, db, argv[5], &was, &e) || !through_json(a, &was, &e))
        return failure(&e);
    if (strcmp(argv[4], "apply") == 0)
        return database_apply(a, db, argv[6], &was, &e) ? 0 : failure(&e);
    if (!database_read(a, db, argv[6], &is, &e))
        return failure(&e);
    struct strlist d = database_difference(a, &was, &is);
    for (size_t i = 0; i < d.count; i++)
        puts(d.items[i]);
    return 0;
}
