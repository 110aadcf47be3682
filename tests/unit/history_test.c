#include "core/prisma/checksum.h"
#include "core/prisma/history.h"

#include "tap.h"

/*
 * A folder is written as names, "?" after one without migration.sql.  A ledger is
 * written as rows in the order of started_at, a name and its state:
 *   + applied   ! failed   - rolled back   = finished and rolled back
 *   ~ applied, and the file is another one now
 */
static struct migration_list folder_of(struct arena *a, const char *words)
{
    struct migration_list list = {.items = arena_array(a, 16, sizeof(*list.items))};
    char *copy = arena_strdup(a, words), *save = NULL;
    for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
        struct migration *m = &list.items[list.count++];
        bool scriptless = str_ends(w, "?");
        *m = (struct migration){.name = arena_strndup(a, w, strlen(w) - scriptless)};
        if (scriptless)
            continue;
        m->sql = m->name;
        m->length = strlen(m->sql);
        m->checksum = script_checksum(a, m->sql, m->length);
    }
    return list;
}

static struct ledger ledger_of(struct arena *a, const char *words)
{
    struct ledger ledger = {.schema = "public", .rows = arena_array(a, 16, sizeof(*ledger.rows))};
    char *copy = arena_strdup(a, words), *save = NULL;
    for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
        char state = w[strlen(w) - 1];
        const char *name = arena_strndup(a, w, strlen(w) - 1), *text = state == '~' ? "was" : name;
        ledger.rows[ledger.count++] = (struct ledger_row){
            .id = arena_printf(a, "%zu", ledger.count),
            .name = name,
            .checksum = script_checksum(a, text, strlen(text)),
            .started_at = "2026-11-20T19:46:09.000001Z",
            .finished_at = strchr("+~=", state) != NULL ? "2026-11-20T19:46:10.000001Z" : NULL,
            .rolled_back_at = strchr("-=", state) != NULL ? "2026-11-20T19:46:11.000001Z" : NULL};
    }
    return ledger;
}

static void add(struct str *s, const char *what, const struct strlist *names)
{
    if (names->count > 0)
        str_item(s, "; ", arena_printf(s->arena, "%s %s", what, strlist_join(names, ",")));
}

static const char *said(struct arena *a, const char *folder, const char *rows)
{
    struct migration_list list = folder_of(a, folder);
    struct ledger ledger = rows == NULL ? (struct ledger){0} : ledger_of(a, rows);
    struct history h = history_compare(a, &list, rows == NULL ? NULL : &ledger);
    struct str s = str_on(a);
    add(&s, "applied", &h.applied);
    add(&s, "pending", &h.pending);
    add(&s, "failed", &h.failed);
    add(&s, "back", &h.rolled_back);
    add(&s, "edited", &h.edited);
    add(&s, "missing", &h.missing);
    add(&s, "order", &h.out_of_order);
    add(&s, "scriptless", &h.scriptless);
    CHECK(history_is_clean(&h) ==
          (h.failed.count == 0 && h.edited.count == 0 && h.missing.count == 0 &&
           h.out_of_order.count == 0 && h.scriptless.count == 0));
    return s.text;
}

TEST(history_is_compared_as_deploy_does)
{
    static const struct {
        const char *folder, *rows, *want;
    } cases[] = {
        {"", NULL, ""},
        {"a b", NULL, "pending a,b"},
        {"a b", "", "pending a,b"},
        {"", "a+", "applied a; missing a"},
        {"a b", "a+ b+", "applied a,b"},
        {"a b c", "a+ b+", "applied a,b; pending c"},
        /* one row a name, each state */
        {"a", "a!", "failed a"},
        {"a", "a-", "pending a; back a"},
        {"a", "a=", "pending a; back a"},
        {"a", "a~", "applied a; edited a"},
        /* several rows a name */
        {"a", "a- a+", "applied a"},
        {"a", "a- a!", "failed a"},
        {"a", "a- a-", "pending a; back a"},
        {"a", "a= a+", "applied a"},
        {"a", "a+ a-", "applied a"},
        {"a", "a! a+", "applied a; failed a"},
        {"a", "a! a!", "failed a"},
        {"a", "a~ a+", "applied a"},
        {"a", "a+ a~", "applied a; edited a"},
        {"a b", "a- b+ a+", "applied b,a"},
        /* the folder lost or changed something */
        {"b", "a+ b+", "applied a,b; missing a"},
        {"b", "a- b+", "applied b; back a"},
        {"b", "a! b+", "applied b; failed a"},
        {"a?", "a+", "applied a; missing a"},
        {"a b?", "a+", "applied a; pending b; scriptless b"},
        {"a?", "a!", "failed a"},
        /* order: by the folder's, whatever the time of application */
        {"a b c", "a+ c+", "applied a,c; pending b; order b"},
        {"a b c", "a+ c+ b+", "applied a,c,b"},
        {"a b c d", "a+ d+ b+", "applied a,d,b; pending c; order c"},
        {"a b", "a+ z+", "applied a,z; pending b; missing z; order b"},
        {"a B c", "a+ c+", "applied a,c; pending B; order B"},
        {"a b", "b-", "pending a,b; back b"},
        {"a b", "a- b+", "applied b; pending a; back a; order a"},
        {"a b", "b!", "pending a; failed b"},
    };
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(said(a, cases[i].folder, cases[i].rows), cases[i].want);
}

TEST(history_json_names_every_list)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(json) struct json *to = json_object();
    struct migration_list folder = folder_of(a, "a b c d? e f");
    struct ledger ledger = ledger_of(a, "a~ c+ e! b- gone+");
    struct history h = history_compare(a, &folder, &ledger);
    history_json(&h, to);
    CHECK_STR(json_text(a, to),
              "{\"applied\":[\"a\",\"c\",\"gone\"],\"pending\":[\"b\",\"d\",\"f\"],"
              "\"failed\":[\"e\"],\"rolled_back\":[\"b\"],\"edited\":[\"a\"],"
              "\"missing\":[\"gone\"],\"out_of_order\":[\"b\",\"d\",\"f\"],"
              "\"scriptless\":[\"d\"]}");
}

static const char *digest(struct arena *a, const char *folder, const char *rows)
{
    struct migration_list list = folder_of(a, folder);
    struct ledger ledger = ledger_of(a, rows);
    struct history h = history_compare(a, &list, &ledger);
    return history_pending_digest(a, &h, &list);
}

TEST(history_digest_is_of_what_is_pending)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(digest(a, "a b c", "a+"), digest(a, "b c", ""));
    CHECK(strcmp(digest(a, "a b", ""), digest(a, "a", "")) != 0);
    CHECK(strcmp(digest(a, "a b?", ""), digest(a, "a b", "")) != 0);
    CHECK(strlen(digest(a, "a", "a+")) == 64);
}

static struct ledgers ledgers_of(struct arena *a, const char *schemas)
{
    struct ledgers all = {.items = arena_array(a, 4, sizeof(*all.items))};
    char *copy = arena_strdup(a, schemas), *save = NULL;
    for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
        all.items[all.count] = ledger_of(a, "a+ b!");
        all.items[all.count++].schema = w;
    }
    return all;
}

TEST(ledger_of_prisma_is_found)
{
    static const struct {
        const char *schemas, *schema;
        bool given;
        const char *want; /* NULL: none */
        bool ambiguous;
    } cases[] = {
        {"", "public", false, NULL, false},
        {"public", "public", false, "public", false},
        {"app public", "public", false, "public", false},
        {"app", "public", false, "app", false},
        {"app other", "public", false, NULL, true},
        {"app", "public", true, NULL, false},
        {"app other", "public", true, NULL, false},
        {"app public", "app", true, "app", false},
        {"public", "app", true, NULL, false},
    };
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ledgers all = ledgers_of(a, cases[i].schemas);
        const struct ledger *main = ledgers_main(&all, cases[i].schema, cases[i].given);
        CHECK_STR(main == NULL ? "none" : main->schema,
                  cases[i].want == NULL ? "none" : cases[i].want);
        CHECK(ledgers_ambiguous(&all, cases[i].given) == cases[i].ambiguous);
    }
}

TEST(ledgers_are_equal_row_by_row)
{
    AUTO(arena) struct arena *a = arena_new();
    struct ledgers one = ledgers_of(a, "app public"), two = ledgers_of(a, "app public");
    struct ledgers less = ledgers_of(a, "app"), other = ledgers_of(a, "app x");
    CHECK(ledgers_equal(&one, &two));
    CHECK(!ledgers_equal(&one, &less) && !ledgers_equal(&less, &one) &&
          !ledgers_equal(&one, &other));

    struct ledger_row *row = &two.items[1].rows[1], was = *row;
    row->logs = "ERROR";
    CHECK(ledgers_equal(&one, &two));
    const char **texts[] = {&row->id,         &row->checksum,    &row->name,
                            &row->started_at, &row->finished_at, &row->rolled_back_at};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        *texts[i] = "other";
        CHECK(!ledgers_equal(&one, &two));
        *row = was;
    }
    row->applied_steps = 1;
    CHECK(!ledgers_equal(&one, &two));
    *row = was;
    two.items[1].count = 1;
    CHECK(!ledgers_equal(&one, &two));
}
