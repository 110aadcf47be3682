#include "core/restore/inplace_possible.h"

#include "base/fs.h"
#include "base/stop.h"
#include "core/restore/schema_dump.h"

static bool dump(struct arena *a, const struct inplace_possible_spec *spec, const char *folder,
                 struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(pg) struct pg *db = connection_open(spec->dumps, &use, e);
    if (db == NULL)
        return false;
    const struct schema_dump_spec dump = {.from = spec->dumps,
                                          .pg_bin = spec->pg_bin,
                                          .server_version = pg_server_version(db),
                                          .format = "directory",
                                          .to = folder};
    return schema_dump(a, &dump, e) ||
           err_wrap(e, "could not dump the schema of \"%s\"", spec->dumps->dbname);
}

bool inplace_possible(struct arena *a, const struct inplace_possible_spec *spec,
                      struct inplace_plan *plan, struct err *e)
{
    const char *folder = fs_join(a, spec->scratch_dir, "in_place");
    const struct stored as_backup = {.id = "", .folder = folder, .manifest.database = *spec->facts};
    const struct inplace_spec in_place = {
        .live = spec->restores, .backup = &as_backup, .pg_bin = spec->pg_bin};
    struct err late = {0};
    bool ok = fs_mkdirs(a, spec->scratch_dir, e) && dump(a, spec, folder, e) &&
              inplace_look(a, &in_place, plan, e);
    stop_shield(true);
    bool clean = fs_remove_tree(a, folder, &late);
    stop_shield(false);
    if (ok && !clean)
        *e = late;
    return ok && clean;
}
