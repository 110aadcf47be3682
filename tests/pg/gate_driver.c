/*
 * gate_driver - core/gate/gate_sql.h for tests/pg/gate_sql.t and for real histories.
 *
 *     gate_driver CONNINFO|- unknown|whole|split [stand-in] [earlier FILE...] pending FILE...
 *
 * Every FILE is a migration, called after its folder.  Prints each finding as
 * "RULE TARGET LEVEL FOLDER:LINE MESSAGE", with blanks of the target as they are;
 * exit status 1 and "KIND SQLSTATE MESSAGE" when it failed.  "-": without a database.
 */
#include "base/fs.h"
#include "core/gate/gate_sql.h"

static struct pg *open_db(const char *words, struct err *e)
{
    /* "host port user dbname" */
    AUTO(arena) struct arena *a = arena_new();
    static const char *const names[] = {"host", "port", "user", "dbname"};
    struct pg_keyword keywords[5] = {{NULL, NULL}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t n = strcspn(words, " ");
        keywords[i] = (struct pg_keyword){names[i], arena_strndup(a, words, n)};
        words += n + (words[n] == ' ');
    }
    return pg_open(&(struct pg_params){.keywords = keywords}, e);
}

static const char *folder_of(struct arena *a, const char *path)
{
    const char *end = strrchr(path, '/');
    if (end == NULL)
        return path;
    const char *from = end;
    while (from > path && from[-1] != '/')
        from--;
    return arena_strndup(a, from, (size_t)(end - from));
}

static int failure(const struct err *e)
{
    printf("%s %s %s\n", err_kind_name(e->kind), e->sqlstate, e->message);
    return 1;
}

int main(int argc, char **argv)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    AUTO(pg) struct pg *db = NULL;
    if (argc < 4)
        return 64;
    if (strcmp(argv[1], "-") != 0) {
        db = open_db(argv[1], &e);
        if (db == NULL)
            return failure(&e);
    }
    struct gate_sql_context c = {.db = db, .default_schema = "public"};
    c.sending = strcmp(argv[2], "whole") == 0   ? GATE_SENT_WHOLE
                : strcmp(argv[2], "split") == 0 ? GATE_SENT_SPLIT
                                                : GATE_SENT_UNKNOWN;
    const struct migration **all = arena_array(a, (size_t)argc, sizeof(const struct migration *));
    size_t n = 0;
    for (int i = 3; i < argc; i++) {
        struct migration *m = ARENA_NEW(a, struct migration);
        if (strcmp(argv[i], "stand-in") == 0) {
            c.stand_in = true;
        } else if (strcmp(argv[i], "pending") == 0) {
            c.earlier = all;
            c.earlier_count = n;
        } else if (strcmp(argv[i], "earlier") != 0) {
            m->name = folder_of(a, argv[i]);
            m->path = argv[i];
            char *text;
            if (!fs_read(a, argv[i], 64 << 20, &text, &m->length, &e))
                return failure(&e);
            m->sql = text;
            all[n++] = m;
        }
    }
    c.pending = all + c.earlier_count;
    c.count = n - c.earlier_count;
    struct findings found = findings_on(a);
    if (!gate_sql(a, &c, &found, &e))
        return failure(&e);
    for (size_t i = 0; i < found.count; i++)
        printf("%s %s %s %s:%zu %s\n", found.items[i].rule, found.items[i].target,
               finding_level_name(found.items[i].level), folder_of(a, found.items[i].file),
               found.items[i].line, found.items[i].message);
    return 0;
}
