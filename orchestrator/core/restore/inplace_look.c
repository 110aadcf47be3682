#include "core/restore/inplace_look.h"

#include "core/restore/configuration.h"
#include "core/restore/roles.h"
#include "sql/queries.h"

enum {
    LOCKS_PERCENT = 60, /* of the lock table: the rest is for everybody else */
    NAMED = 5,
    PER_TABLE = 2, /* a table comes with a toast table and its index */
};

static bool is_type(const struct toc_entry *entry, const char *type)
{
    return strcmp(entry->type, type) == 0;
}

static void add_schema(struct strlist *schemas, const char *name)
{
    if (name != NULL && name[0] != '\0' && !str_starts(name, "pg_") && !strlist_has(schemas, name))
        strlist_add(schemas, name);
}

static void find_schemas(struct inplace *p)
{
    p->plan.schemas = strlist_on(p->arena);
    for (size_t i = 0; i < p->toc.count; i++) {
        const struct toc_entry *entry = &p->toc.entries[i];
        add_schema(&p->plan.schemas, is_type(entry, "SCHEMA") ? entry->tag : entry->schema);
    }
    strlist_sort(&p->plan.schemas);
}

static char *schema_array(const struct inplace *p)
{
    return pg_array(p->arena, p->plan.schemas.items, p->plan.schemas.count);
}

static const char *first_names(struct arena *a, const struct strlist *names)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < names->count && i < NAMED; i++)
        str_item(&s, ", ", names->items[i]);
    if (names->count > NAMED)
        str_printf(&s, " and %zu more", names->count - NAMED);
    return s.text;
}

/* The words of DROP differ from the server's own for these. */
static const char *drop_type(const char *type)
{
    if (strcmp(type, "composite type") == 0)
        return "TYPE";
    return strcmp(type, "statistics object") == 0 ? "STATISTICS" : type;
}

static bool refuse_outside(struct inplace *p, const struct strlist *outside, struct err *e)
{
    err_set(e, ERR_PREFLIGHT, "dropping what the backup has would take other things with it: %s",
            first_names(p->arena, outside));
    err_hint(e, "They are not in the backup. Drop them first, or restore into a new database by"
                " --into NAME.");
    return false;
}

static bool refuse_foreign(struct inplace *p, const struct strlist *foreign, struct err *e)
{
    err_set(e, ERR_PREFLIGHT, "this role may not drop %s", first_names(p->arena, foreign));
    err_hint(e, "Grant it the role of their owner, or set admin-url to a role that may.");
    return false;
}

static bool find_objects(struct inplace *p, struct err *e)
{
    struct strlist outside = strlist_on(p->arena), foreign = strlist_on(p->arena);
    struct pg_rows rows;
    if (!pg_query(p->arena, p->db, sql_inplace_objects, PG_ARGS(schema_array(p)), &rows, e))
        return err_wrap(e, "could not tell what would be dropped");
    p->plan.dropped = (int64_t)rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        const char *type = pg_cell(&rows, i, "type"), *identity = pg_cell(&rows, i, "identity");
        const char *named = arena_printf(p->arena, "%s %s", type, identity);
        if (pg_cell_bool(&rows, i, "outside"))
            strlist_add(&outside, named);
        if (pg_cell_bool(&rows, i, "not_ours"))
            strlist_add(&foreign, named);
        if (pg_cell_bool(&rows, i, "direct"))
            strlist_printf(&p->drops, "DROP %s IF EXISTS %s CASCADE", drop_type(type), identity);
    }
    if (outside.count > 0)
        return refuse_outside(p, &outside, e);
    return foreign.count == 0 || refuse_foreign(p, &foreign, e);
}

/* Schemas that are there stay, as do extensions; what the archive would say of them is not to be
 * said again. */
static bool find_schemas_there(struct inplace *p, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(p->arena, p->db, sql_inplace_schemas, PG_ARGS(schema_array(p)), &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const char *reset = pg_cell(&rows, i, "reset");
        if (pg_cell_bool(&rows, i, "changed") && reset[0] != '\0')
            strlist_add(&p->drops, reset);
        for (size_t k = 0; k < p->toc.count; k++)
            p->left_out[k] |= is_type(&p->toc.entries[k], "SCHEMA") &&
                              strcmp(p->toc.entries[k].tag, pg_cell(&rows, i, "schema")) == 0;
    }
    return true;
}

static bool find_extensions(struct inplace *p, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(p->arena, p->db,
                  "SELECT 'EXTENSION ' || quote_ident(extname) AS tag FROM pg_extension", PG_NONE,
                  &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        for (size_t k = 0; k < p->toc.count; k++)
            p->left_out[k] |= is_type(&p->toc.entries[k], "COMMENT") &&
                              strcmp(p->toc.entries[k].tag, pg_cell(&rows, i, "tag")) == 0;
    return true;
}

static bool add_drops(struct inplace *p, const char *sql, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(p->arena, p->db, sql, PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        strlist_add(&p->drops, pg_cell(&rows, i, "statement"));
    return true;
}

/* Publications and event triggers work on what is dropped: none of them stays without it.  Default
 * privileges would be of what the archive makes. */
static bool drop_first(struct inplace *p, struct err *e)
{
    return add_drops(p, sql_inplace_publications, e) && add_drops(p, sql_inplace_default_rights, e);
}

/* What the archive has beside schemas, last first: DROP words IF EXISTS rest.  After what schemas
 * hold, such as tables of a server. */
static void drop_others(struct inplace *p)
{
    static const char *const types[] = {"CAST",         "FOREIGN DATA WRAPPER", "SERVER",
                                        "USER MAPPING", "PROCEDURAL LANGUAGE",  "TRANSFORM",
                                        "ACCESS METHOD"};
    for (size_t i = p->toc.count; i-- > 0;) {
        const struct toc_entry *entry = &p->toc.entries[i];
        const char *words = arena_printf(p->arena, "DROP %s ", entry->type);
        for (size_t k = 0; k < ARRAY_LEN(types); k++)
            if (is_type(entry, types[k]) && entry->drop != NULL && str_starts(entry->drop, words))
                strlist_printf(&p->drops, "%sIF EXISTS %s", words, entry->drop + strlen(words));
    }
}

static bool look_at_place(struct inplace *p, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(p->arena, p->db, sql_inplace_place, PG_NONE, &rows, e))
        return false;
    const char *subscriptions = pg_cell(&rows, 0, "subscriptions");
    if (subscriptions != NULL) {
        err_set(e, ERR_PREFLIGHT, "the database has subscriptions: %s", subscriptions);
        err_hint(e, "They would lose their tables: drop them first, and make them again after it.");
        return false;
    }
    p->plan.lock_table = pg_cell_int(&rows, 0, "lock_table");
    p->plan.dropped += pg_cell_int(&rows, 0, "large_objects");
    if (pg_cell_int(&rows, 0, "large_objects") > 0)
        strlist_add(&p->drops,
                    "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata");
    return true;
}

static bool check_locks(struct inplace *p, struct err *e)
{
    struct inplace_plan *plan = &p->plan;
    for (size_t i = 0; i < p->toc.count; i++)
        plan->made += p->left_out[i] ? 0 : is_type(&p->toc.entries[i], "TABLE") ? 1 + PER_TABLE : 1;
    plan->locks = plan->dropped + plan->made;
    if (plan->locks * 100 <= plan->lock_table * LOCKS_PERCENT)
        return true;
    err_set(e, ERR_PREFLIGHT,
            "a restore in place would need about %lld locks at once, of %lld that the server has",
            (long long)plan->locks, (long long)plan->lock_table);
    err_detail(e, "Not more than %d %% are taken, so that others can work.", (int)LOCKS_PERCENT);
    err_hint(e, "Raise max_locks_per_transaction (and restart the server), or restore into a new"
                " database by --into NAME.");
    return false;
}

bool inplace_read(struct inplace *p, struct err *e)
{
    const struct stored *backup = p->spec->backup;
    const struct roles_spec roles = {.toc = &p->toc, .facts = &backup->manifest.database};
    if (!toc_read(p->arena, backup->folder, &p->toc, e))
        return false;
    p->left_out = arena_array(p->arena, p->toc.count + 1, sizeof(*p->left_out));
    p->drops = strlist_on(p->arena);
    p->plan = (struct inplace_plan){0};
    find_schemas(p);
    if (!roles_exist(p->arena, p->db, &roles, e) || !roles_usable(p->arena, p->db, &roles, e) ||
        !drop_first(p, e) || !find_objects(p, e))
        return false;
    drop_others(p);
    return look_at_place(p, e) && find_schemas_there(p, e) && find_extensions(p, e) &&
           check_locks(p, e);
}
