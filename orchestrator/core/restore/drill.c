#include "core/restore/drill.h"

#include "base/fs.h"
#include "base/stop.h"
#include "core/restore/full.h"
#include "core/restore/schema_dump.h"
#include "core/restore/schema_text.h"
#include "core/restore/side.h"
#include "core/restore/swap.h"
#include "core/scratch.h"

enum { SCHEMA_MAX_BYTES = 256 << 20, SWAP_LIMIT_MS = 10000 };

struct practice {
    struct arena *arena;
    const struct drill_spec *spec;
    struct pg *db;                 /* maintenance */
    struct scratch scratch;        /* its files */
    const char *copy, *old, *kept; /* databases: restored, swapped with it, what that becomes */
};

/* What a missing right makes of an error: a refusal, with the way out. */
static bool refused(const struct practice *p, struct err *e)
{
    if (connection_advise_crowded(e)) {
        e->kind = ERR_CONNECT;
        return false;
    }
    bool no_tool = e->kind == ERR_CHILD && e->hint[0] != '\0'; /* it says what to install */
    if ((e->kind == ERR_CHILD && !no_tool) || e->kind == ERR_QUERY || e->kind == ERR_TIMEOUT)
        e->kind = ERR_PREFLIGHT;
    if (e->kind == ERR_PREFLIGHT && e->hint[0] == '\0')
        err_hint(e,
                 "A rollback of this database would fail the same way: give role \"%s\" what is"
                 " missing, or set admin-url to a superuser.",
                 p->spec->server->user != NULL ? p->spec->server->user : "(default)");
    return false;
}

static bool dump_schema(const struct practice *p, const struct connection *from, const char *format,
                        const char *file, struct err *e)
{
    const struct schema_dump_spec dump = {.from = from,
                                          .pg_bin = p->spec->pg_bin,
                                          .server_version = pg_server_version(p->db),
                                          .format = format,
                                          .to = file};
    return schema_dump(p->arena, &dump, e);
}

static bool read_schema(const struct practice *p, const struct connection *from, const char *name,
                        char **text, struct err *e)
{
    const char *file = fs_join(p->arena, p->scratch.path, name);
    return dump_schema(p, from, "plain", file, e) &&
           fs_read(p->arena, file, SCHEMA_MAX_BYTES, text, NULL, e);
}

static bool restore_schema(const struct practice *p, const char *folder, struct err *e)
{
    const struct archive_spec archive = {.server = p->spec->server,
                                         .target = p->copy,
                                         .folder = folder,
                                         .pg_bin = p->spec->pg_bin,
                                         .jobs = 1,
                                         .schema_only = true};
    return restore_archive(p->arena, &archive, e) ||
           err_wrap(e, "could not restore the schema of \"%s\"", p->spec->facts->name);
}

/* Live's schema, restored, must be live's schema. */
static bool practise_restore(const struct practice *p, struct err *e)
{
    const struct connection *live = p->spec->live, copy = connection_to(p->spec->server, p->copy);
    const char *folder = fs_join(p->arena, p->scratch.path, "archive"), *difference;
    char *was, *is;
    if (!dump_schema(p, live, "directory", folder, e) || !read_schema(p, live, "live.sql", &was, e))
        return err_wrap(e, "could not dump the schema of \"%s\"", live->dbname);
    if (!restore_schema(p, folder, e))
        return false;
    if (!read_schema(p, &copy, "copy.sql", &is, e))
        return err_wrap(e, "could not dump the restored schema of \"%s\"", live->dbname);
    difference = schema_text_difference(p->arena, was, is);
    if (difference == NULL)
        return true;
    err_set(e, ERR_PREFLIGHT, "the schema of \"%s\" does not come back as it is", live->dbname);
    err_detail(e, "First difference (- live, + restored): %s", difference);
    err_hint(e, "A rollback would give a database that is not what it was.");
    return false;
}

/* Everything but the comment, which the swap sets: until then it is our mark. */
static bool practise_properties(const struct practice *p, struct err *e)
{
    struct database_facts want = *p->spec->facts, have;
    if (!database_read(p->arena, p->db, p->copy, &have, e))
        return false;
    want.comment = have.comment;
    if (!database_apply(p->arena, p->db, p->copy, &want, e) ||
        !database_read(p->arena, p->db, p->copy, &have, e))
        return false;
    struct strlist differ = database_difference(p->arena, &want, &have);
    return differ.count == 0 || err_set(e, ERR_PREFLIGHT, "side database is not like \"%s\": %s",
                                        want.name, strlist_join(&differ, "; "));
}

static const char *oid_of(const struct practice *p, const char *name, struct err *e)
{
    return pg_value(p->arena, p->db, "SELECT oid FROM pg_database WHERE datname = $1",
                    PG_ARGS(name), e);
}

static bool practise_swap(const struct practice *p, struct err *e)
{
    const struct drill_spec *s = p->spec;
    struct swap_result result;
    struct swap_spec swap_spec = {
        .server = s->server,
        .maintenance_database = s->maintenance_database,
        .live = p->old,
        .side = p->copy,
        .kept = p->kept,
        .limit_ms = SWAP_LIMIT_MS,
    };
    swap_spec.kept_comment = side_comment(p->arena, "drill", s->facts->name, s->run, NULL);
    swap_spec.live_comment = swap_spec.kept_comment;
    if (!side_create(p->arena, p->db, &(struct side_spec){p->old, "drill", s->run, s->facts}, e))
        return false;
    swap_spec.live_oid = oid_of(p, p->old, e);
    swap_spec.side_oid = swap_spec.live_oid == NULL ? NULL : oid_of(p, p->copy, e);
    return swap_spec.side_oid != NULL && swap(p->arena, &swap_spec, &result, e);
}

/* All of them, under a stop as well; the first failure is told unless there is an error already. */
static bool clean_up(const struct practice *p, bool ok, struct err *e)
{
    const char *const names[] = {p->copy, p->old, p->kept};
    struct err first = {0}, why = {0};
    stop_shield(true);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!side_drop(p->arena, p->db, names[i], &why) && first.kind == ERR_NONE)
            first = why;
    scratch_remove(&p->scratch);
    stop_shield(false);
    if (first.kind == ERR_NONE)
        return ok;
    if (ok)
        *e = first;
    else
        err_detail(e, "%s",
                   arena_printf(p->arena, "%s%sNot cleaned up: %s.", e->detail,
                                e->detail[0] ? " " : "", first.message));
    return false;
}

bool drill(struct arena *a, const struct drill_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(pg)
    struct pg *db = connection_open_maintenance(spec->server, spec->maintenance_database, &use, e);
    if (db == NULL || !swap_possible(a, db, spec->facts->name, spec->accept_slots, e))
        return false;
    const char *live = spec->facts->name, *run = spec->run;
    struct practice p = {
        .arena = a,
        .spec = spec,
        .db = db,
        .copy = side_name(a, live, "drill", run),
        .old = side_name(a, live, "drill_old", run),
        .kept = side_name(a, live, "drill_kept", run),
    };
    bool ok =
        scratch_folder(a, spec->scratch_dir, "drill", &p.scratch, e) &&
        side_create(a, db, &(struct side_spec){p.copy, "drill", run, spec->facts}, e) &&
        (spec->archive == NULL ? practise_restore(&p, e) : restore_schema(&p, spec->archive, e)) &&
        practise_properties(&p, e) && practise_swap(&p, e);
    return clean_up(&p, ok, e) || refused(&p, e);
}
