#include "core/restore/full.h"

#include "core/restore/analyze.h"
#include "core/restore/large_objects.h"
#include "core/restore/rows.h"
#include "core/restore/sequences.h"

struct restoring {
    struct arena *arena;
    const struct restore_spec *spec;
    struct connection to;
    const struct toc *toc; /* NULL: the archive is of a format that we do not read */
    bool *analyzed;        /* by table of the manifest */
    bool *made;            /* by entry of toc: made with the rows; NULL without toc */
};

/* An archive that cannot be read here may still be one that pg_restore reads. */
static bool read_toc(struct restoring *r, struct toc *toc, struct err *e)
{
    const struct stored *backup = r->spec->backup;
    if (toc_read(r->arena, backup->folder, toc, e)) {
        r->toc = toc;
        r->made = arena_array(r->arena, toc->count + 1, sizeof(*r->made));
    } else if (backup->manifest.not_stock == NULL || e->kind != ERR_DAMAGED) {
        return false;
    }
    *e = (struct err){0};
    return true;
}

static bool restore_part(const struct restoring *r, enum archive_part part, struct err *e)
{
    const struct restore_spec *s = r->spec;
    const struct archive_spec archive = {
        .server = s->server,
        .target = s->target,
        .folder = s->backup->folder,
        .pg_bin = s->pg_bin,
        .lc_monetary = manifest_lc_monetary(&s->backup->manifest),
        .jobs = part == ARCHIVE_AFTER_ROWS ? s->jobs : 1,
        .no_owner = s->no_owner,
        .no_acl = s->no_acl,
        .part = part,
        .toc = r->toc,
        .left_out = r->made,
    };
    return restore_archive(r->arena, &archive, e);
}

static bool check_sequences(const struct restoring *r, struct pg *db, struct err *e)
{
    const struct manifest *m = &r->spec->backup->manifest;
    struct differences d = differences_on(r->arena);
    return sequences_set(r->arena, db, m, r->toc, e) && differences_sequences(&d, db, m, e) &&
           differences_none(&d, e);
}

static int64_t text_bytes(const struct manifest *m)
{
    int64_t total = 0;
    for (size_t i = 0; i < m->table_count; i++) {
        if (m->tables[i].file != NULL && m->tables[i].text_bytes <= 0 && m->tables[i].rows > 0)
            return 0;
        total += m->tables[i].text_bytes;
    }
    return total;
}

static bool load(const struct restoring *r, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    const struct restore_spec *s = r->spec;
    const struct rows_spec rows = {
        .to = &r->to,
        .backup = s->backup,
        .toc = r->toc,
        .progress = s->progress,
        .analyzed = r->analyzed,
        .made = r->made,
        .jobs = s->jobs > 0 ? s->jobs : 1,
    };
    if (!rows_load(r->arena, &rows, e))
        return false;
    AUTO(pg) struct pg *db = connection_open(&r->to, &use, e);
    return db != NULL && check_sequences(r, db, e) && large_objects_load(r->arena, &rows, e);
}

static bool restore(struct restoring *r, struct err *e)
{
    struct toc toc;
    return read_toc(r, &toc, e) && restore_part(r, ARCHIVE_BEFORE_ROWS, e) && load(r, e) &&
           restore_part(r, ARCHIVE_AFTER_ROWS, e);
}

bool restore_full(struct arena *a, const struct restore_spec *spec, struct err *e)
{
    const struct manifest *m = &spec->backup->manifest;
    struct restoring r = {.arena = a,
                          .spec = spec,
                          .to = connection_to(spec->server, spec->target),
                          .analyzed = arena_array(a, m->table_count + 1, sizeof(bool))};
    progress_begin(spec->progress, "restore", text_bytes(m));
    if (!restore(&r, e))
        return err_wrap(e, "could not restore backup \"%s\"", spec->backup->id);
    return (analyze_parallel(a, &r.to, m, r.analyzed, spec->jobs, e) ||
            err_wrap(e, "could not analyze \"%s\"", spec->target)) &&
           progress_end(spec->progress, e);
}
