#include "core/restore/full.h"

#include "core/restore/tool_run.h"
#include "sql/queries.h"

enum { SHOWN = 5 }; /* differences told in the detail */

/* What a connection string takes as dbname: the one thing of it that pg_restore is told in argv. */
static const char *conninfo_dbname(struct arena *a, const char *name)
{
    struct str s = str_on(a);
    str_add(&s, "dbname='");
    for (; *name != '\0'; name++) {
        if (*name == '\'' || *name == '\\')
            str_add(&s, "\\");
        str_add_n(&s, name, 1);
    }
    str_add(&s, "'");
    return s.text;
}

static bool server_version(const struct connection *c, int *version, struct err *e)
{
    const struct session_use use = {.query_deadline_ms = 10000};
    AUTO(pg) struct pg *db = connection_open(c, &use, e);
    *version = db == NULL ? 0 : pg_server_version(db);
    return db != NULL;
}

bool restore_archive(struct arena *a, const struct archive_spec *spec, struct err *e)
{
    struct connection to = connection_to(spec->server, spec->target);
    struct strlist args = strlist_on(a);
    struct tool_spec tool = {
        .to = &to,
        .pg_bin = spec->pg_bin,
        .args = &args,
        /* Nobody sees the side database before the swap, whose commit flushes all of it. */
        .options = "-c synchronous_commit=off -c default_transaction_read_only=off",
    };
    static const char *const fixed[] = {"--exit-on-error", "--no-password", "--no-subscriptions"};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        strlist_add(&args, fixed[i]);
    strlist_printf(&args, "--format=%s", spec->format != NULL ? spec->format : "directory");
    strlist_printf(&args, "--jobs=%d", spec->jobs > 0 ? spec->jobs : 1);
    strlist_printf(&args, "--dbname=%s", conninfo_dbname(a, spec->target));
    if (spec->schema_only)
        strlist_add(&args, "--schema-only");
    if (spec->no_owner)
        strlist_add(&args, "--no-owner");
    if (spec->no_acl)
        strlist_add(&args, "--no-acl");
    strlist_add(&args, spec->folder);
    return server_version(&to, &tool.server_version, e) && tool_run(a, "pg_restore", &tool, e);
}

struct differences {
    struct strlist shown;
    size_t count;
};

static void differ(struct differences *d, const char *text)
{
    if (d->count++ < SHOWN)
        strlist_add(&d->shown, text);
}

static bool is_gone(const struct err *e)
{
    return strcmp(e->sqlstate, "42P01") == 0 || strcmp(e->sqlstate, "3F000") == 0;
}

static bool compare_table(struct arena *a, struct pg *db, const struct manifest_table *t,
                          struct differences *d, struct err *e)
{
    struct err why = {0};
    const char *sql =
        arena_printf(a, "SELECT count(*) FROM ONLY %s", pg_ident2(a, t->schema, t->name));
    const char *rows = pg_value(a, db, sql, PG_NONE, &why);
    if (rows == NULL && !is_gone(&why)) {
        *e = why;
        return err_wrap(e, "could not count table \"%s\".\"%s\"", t->schema, t->name);
    }
    if (rows == NULL)
        differ(d, arena_printf(a, "table \"%s\".\"%s\" is missing", t->schema, t->name));
    else if (strtoll(rows, NULL, 10) != t->rows)
        differ(d, arena_printf(a, "table \"%s\".\"%s\" has %s rows instead of %lld", t->schema,
                               t->name, rows, (long long)t->rows));
    return true;
}

static bool compare_sequence(struct arena *a, struct pg *db, const struct manifest_sequence *s,
                             struct differences *d, struct err *e)
{
    struct err why = {0};
    struct pg_rows rows;
    const char *sql =
        arena_printf(a, "SELECT last_value, is_called FROM %s", pg_ident2(a, s->schema, s->name));
    if (!pg_query(a, db, sql, PG_NONE, &rows, &why)) {
        if (!is_gone(&why)) {
            *e = why;
            return err_wrap(e, "could not read sequence \"%s\".\"%s\"", s->schema, s->name);
        }
        differ(d, arena_printf(a, "sequence \"%s\".\"%s\" is missing", s->schema, s->name));
        return true;
    }
    if (pg_cell_int(&rows, 0, "last_value") != s->last_value ||
        pg_cell_bool(&rows, 0, "is_called") != s->is_called)
        differ(d, arena_printf(a, "sequence \"%s\".\"%s\" stands at %lld instead of %lld",
                               s->schema, s->name, (long long)pg_cell_int(&rows, 0, "last_value"),
                               (long long)s->last_value));
    return true;
}

bool restore_compare(struct arena *a, struct pg *db, const struct manifest *m, struct err *e)
{
    struct differences d = {.shown = strlist_on(a)};
    for (size_t i = 0; i < m->table_count; i++)
        if (!compare_table(a, db, &m->tables[i], &d, e))
            return false;
    for (size_t i = 0; i < m->sequence_count; i++)
        if (!compare_sequence(a, db, &m->sequences[i], &d, e))
            return false;
    if (d.count == 0)
        return true;
    err_set(e, ERR_DAMAGED, "restored database is not the one backed up: %s", d.shown.items[0]);
    if (d.count > 1)
        err_detail(e, "%zu differences: %s%s.", d.count, strlist_join(&d.shown, "; "),
                   d.count > SHOWN ? "; ..." : "");
    return false;
}

bool restore_full(struct arena *a, const struct restore_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct connection to = connection_to(spec->server, spec->target);
    const struct archive_spec archive = {
        .server = spec->server,
        .target = spec->target,
        .folder = spec->backup->folder,
        .pg_bin = spec->pg_bin,
        .jobs = spec->jobs,
        .no_owner = spec->no_owner,
        .no_acl = spec->no_acl,
    };
    if (!restore_archive(a, &archive, e))
        return err_wrap(e, "could not restore backup \"%s\"", spec->backup->id);
    AUTO(pg) struct pg *db = connection_open(&to, &use, e);
    return db != NULL && restore_compare(a, db, &spec->backup->manifest, e) &&
           (pg_exec(db, "ANALYZE", e) || err_wrap(e, "could not analyze \"%s\"", spec->target));
}
