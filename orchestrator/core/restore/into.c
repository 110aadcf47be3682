#include "core/restore/into.h"

#include "core/restore/side.h"

enum { NAME_MAX_BYTES = 63 };

bool restore_into_check(struct arena *a, struct pg *maintenance, const char *name, struct err *e)
{
    struct database_facts facts;
    if (name[0] == '\0' || strlen(name) > NAME_MAX_BYTES)
        return err_set(e, ERR_USAGE, "\"%s\" cannot be the name of a database: 1 to %d bytes", name,
                       (int)NAME_MAX_BYTES);
    if (database_read(a, maintenance, name, &facts, e)) {
        err_set(e, ERR_USAGE, "database \"%s\" exists already", name);
        err_hint(e, "Choose another name: --into never touches a database that is there.");
        return false;
    }
    if (strcmp(e->sqlstate, "3D000") != 0)
        return false;
    *e = (struct err){0};
    return true;
}

static bool fill(struct arena *a, struct pg *db, const struct into_spec *s, struct err *e)
{
    return s->source->fill(a, s->source->context, s->name, e) &&
           (s->drop || database_apply(a, db, s->name, s->source->like, e));
}

bool restore_into(struct arena *a, const struct into_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(pg)
    struct pg *db = connection_open_maintenance(spec->server, spec->maintenance_database, &use, e);
    if (db == NULL || !restore_into_check(a, db, spec->name, e))
        return false;
    if (!side_create(a, db, &(struct side_spec){spec->name, "into", spec->run, spec->source->like},
                     e))
        return false;
    bool filled = fill(a, db, spec, e);
    return filled && !spec->drop ? true : side_drop_after(a, db, spec->name, filled, e);
}
