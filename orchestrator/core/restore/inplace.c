#include "core/restore/inplace.h"

#include "core/restore/analyze.h"
#include "core/restore/commit.h"
#include "core/restore/configuration.h"
#include "core/restore/inplace_look.h"
#include "core/restore/large_objects.h"
#include "core/restore/load.h"
#include "core/restore/sequences.h"

static struct pg *open_live(const struct inplace_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = spec->application_name,
                                    .lock_timeout_ms = (int)spec->lock_timeout_ms};
    return connection_open(spec->live, &use, e);
}

bool inplace_look(struct arena *a, const struct inplace_spec *spec, struct inplace_plan *plan,
                  struct err *e)
{
    AUTO(pg) struct pg *db = open_live(spec, e);
    struct inplace p = {.arena = a, .spec = spec, .db = db};
    if (db == NULL || !inplace_read(&p, e))
        return false;
    *plan = p.plan;
    return true;
}

static bool locked_out(const struct inplace_spec *spec, struct err *e)
{
    if (strcmp(e->sqlstate, "55P03") == 0)
        err_hint(
            e, "Others use its tables: stop them, or give it longer by lock-timeout (now %lld ms).",
            (long long)spec->lock_timeout_ms);
    return err_wrap(e, "could not drop what is there");
}

static bool drop(const struct inplace *p, struct err *e)
{
    for (size_t i = 0; i < p->drops.count; i++)
        if (!pg_exec(p->db, p->drops.items[i], e))
            return locked_out(p->spec, e);
    return true;
}

/* How strings of the archive are read.  It says so itself, but what is sent at once is read by the
 * server before any of it is done. */
static bool read_strings_so(const struct inplace *p, struct err *e)
{
    for (size_t i = 0; i < p->toc.count; i++)
        if (strcmp(p->toc.entries[i].type, "STDSTRINGS") == 0 &&
            p->toc.entries[i].definition != NULL)
            return pg_exec(p->db, p->toc.entries[i].definition, e);
    return true;
}

/* The archive's statements, in its own encoding. */
static bool run_part(const struct inplace *p, enum archive_part part, struct err *e)
{
    const struct manifest *m = &p->spec->backup->manifest;
    const struct archive_spec archive = {.folder = p->spec->backup->folder,
                                         .pg_bin = p->spec->pg_bin,
                                         .part = part,
                                         .toc = &p->toc,
                                         .left_out = p->left_out};
    const char *sql;
    return archive_text(p->arena, &archive, pg_server_version(p->db), &sql, e) &&
           pg_execf(p->db, e, "SET client_encoding = %s",
                    pg_literal(p->arena, m->database.encoding)) &&
           read_strings_so(p, e) &&
           (pg_exec(p->db, sql, e) || err_wrap(e, "could not make what the archive has")) &&
           pg_exec(p->db,
                   "SET client_encoding = 'UTF8'; SET search_path = '';"
                   "SET standard_conforming_strings = on",
                   e);
}

static bool load(const struct inplace *p, struct err *e)
{
    const struct manifest *m = &p->spec->backup->manifest;
    const struct rows_spec rows = {.to = p->spec->live,
                                   .backup = p->spec->backup,
                                   .toc = &p->toc,
                                   .progress = p->spec->progress,
                                   .jobs = 1};
    struct differences d = differences_on(p->arena);
    return configuration_clear(p->arena, p->db, &rows, e) &&
           rows_load_within(p->arena, p->db, &rows, e) &&
           sequences_set(p->arena, p->db, m, &p->toc, e) &&
           differences_sequences(&d, p->db, m, e) && differences_none(&d, e) &&
           large_objects_load_within(p->arena, p->db, &rows, e);
}

static bool commit(const struct inplace *p, enum commit_outcome *outcome, struct err *e)
{
    const struct inplace_spec *s = p->spec;
    const struct commit_spec spec = {
        .db = p->db, .to = s->live, .committing = s->committing, .context = s->context};
    return commit_transaction(p->arena, &spec, outcome, e);
}

/* Whoever returns early closes the session, and with it the transaction. */
static bool transact(struct inplace *p, enum commit_outcome *outcome, struct err *e)
{
    return load_session(p->db, &p->spec->backup->manifest, e) &&
           pg_execf(p->db, e, "SET lock_timeout = %lld; BEGIN",
                    (long long)p->spec->lock_timeout_ms) &&
           inplace_read(p, e) && drop(p, e) && run_part(p, ARCHIVE_BEFORE_ROWS, e) && load(p, e) &&
           run_part(p, ARCHIVE_AFTER_ROWS, e) && commit(p, outcome, e);
}

bool inplace_restore(struct arena *a, const struct inplace_spec *spec, bool *restored,
                     struct err *e)
{
    AUTO(pg) struct pg *db = open_live(spec, e);
    struct inplace p = {.arena = a, .spec = spec, .db = db};
    enum commit_outcome outcome = COMMIT_NOT;
    *restored = false;
    if (db == NULL)
        return false;
    progress_begin(spec->progress, "restore", 0);
    if (!transact(&p, &outcome, e)) {
        err_wrap(e, "could not restore backup \"%s\" in place", spec->backup->id);
        if (outcome == COMMIT_NOT)
            err_detail(e, "%s",
                       arena_printf(a, "%s%sNothing was changed: it was one transaction.",
                                    e->detail, e->detail[0] ? " " : ""));
        return false;
    }
    *restored = true;
    return (analyze_parallel(a, spec->live, &spec->backup->manifest, NULL, spec->jobs, e) ||
            err_wrap(e, "could not analyze \"%s\"", spec->live->dbname)) &&
           progress_end(spec->progress, e);
}
