#include "core/prisma/history.h"

#include "ext/digest.h"

/* What the rows of one name say together. */
struct name_state {
    bool failed, rolled_back;
    const struct ledger_row *applied; /* the last such row, or NULL */
};

static struct name_state state_of(const struct ledger *ledger, const char *name)
{
    struct name_state s = {0};
    for (size_t i = 0; ledger != NULL && i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        if (strcmp(row->name, name) != 0)
            continue;
        switch (ledger_row_state(row)) {
        case LEDGER_APPLIED:
            s.applied = row;
            break;
        case LEDGER_FAILED:
            s.failed = true;
            break;
        case LEDGER_ROLLED_BACK:
            s.rolled_back = true;
            break;
        }
    }
    return s;
}

/* The row that speaks for its name in the order of the lists: the first one. */
static bool is_first_of_name(const struct ledger *ledger, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(ledger->rows[j].name, ledger->rows[i].name) == 0)
            return false;
    return true;
}

static void judge_applied(struct history *h, const struct migration_list *folder,
                          const struct ledger_row *row)
{
    const struct migration *m = migration_find(folder, row->name);
    strlist_add(&h->applied, row->name);
    if (m == NULL || m->sql == NULL)
        strlist_add(&h->missing, row->name);
    else if (!migration_matches(m, row->checksum))
        strlist_add(&h->edited, row->name);
}

static void judge_rows(struct history *h, const struct migration_list *folder,
                       const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        struct name_state s = state_of(ledger, row->name);
        if (s.applied == row)
            judge_applied(h, folder, row);
        if (!is_first_of_name(ledger, i))
            continue;
        if (s.failed)
            strlist_add(&h->failed, row->name);
        if (s.rolled_back && !s.failed && s.applied == NULL)
            strlist_add(&h->rolled_back, row->name);
    }
}

static const char *last_in_folder_order(const struct strlist *names)
{
    const char *last = NULL;
    for (size_t i = 0; i < names->count; i++)
        if (last == NULL || migration_order(names->items[i], last) > 0)
            last = names->items[i];
    return last;
}

static void judge_folder(struct history *h, const struct migration_list *folder,
                         const struct ledger *ledger)
{
    const char *last = last_in_folder_order(&h->applied);
    for (size_t i = 0; i < folder->count; i++) {
        const struct migration *m = &folder->items[i];
        struct name_state s = state_of(ledger, m->name);
        if (s.applied != NULL || s.failed)
            continue;
        strlist_add(&h->pending, m->name);
        if (m->sql == NULL)
            strlist_add(&h->scriptless, m->name);
        if (last != NULL && migration_order(m->name, last) < 0)
            strlist_add(&h->out_of_order, m->name);
    }
}

struct history history_compare(struct arena *a, const struct migration_list *folder,
                               const struct ledger *ledger)
{
    struct history h = {.applied = strlist_on(a),
                        .pending = strlist_on(a),
                        .failed = strlist_on(a),
                        .rolled_back = strlist_on(a),
                        .edited = strlist_on(a),
                        .missing = strlist_on(a),
                        .out_of_order = strlist_on(a),
                        .scriptless = strlist_on(a)};
    if (ledger != NULL)
        judge_rows(&h, folder, ledger);
    judge_folder(&h, folder, ledger);
    return h;
}

bool history_is_clean(const struct history *h)
{
    return h->failed.count + h->edited.count + h->missing.count + h->out_of_order.count +
               h->scriptless.count ==
           0;
}

static void put_names(struct json *to, const char *key, const struct strlist *names)
{
    struct json *list = json_put_array(to, key);
    for (size_t i = 0; i < names->count; i++)
        json_push(list, names->items[i]);
}

void history_json(const struct history *h, struct json *to)
{
    put_names(to, "applied", &h->applied);
    put_names(to, "pending", &h->pending);
    put_names(to, "failed", &h->failed);
    put_names(to, "rolled_back", &h->rolled_back);
    put_names(to, "edited", &h->edited);
    put_names(to, "missing", &h->missing);
    put_names(to, "out_of_order", &h->out_of_order);
    put_names(to, "scriptless", &h->scriptless);
}

char *history_pending_digest(struct arena *a, const struct history *h,
                             const struct migration_list *folder)
{
    AUTO(arena) struct arena *scratch = arena_new();
    struct str text = str_on(scratch);
    for (size_t i = 0; i < h->pending.count; i++) {
        const struct migration *m = migration_find(folder, h->pending.items[i]);
        str_printf(&text, "%s\n%s\n", h->pending.items[i],
                   m == NULL || m->checksum == NULL ? "" : m->checksum);
    }
    return digest_sha256(a, text.text, text.length);
}
