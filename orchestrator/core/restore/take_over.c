#include "core/restore/take_over.h"

#include "core/restore/side.h"

static void say(const struct take_over_spec *s, const char *doing)
{
    if (s->say != NULL)
        s->say(s->context, doing);
}

static bool fill_and_back_up(struct arena *a, const struct take_over_spec *s, const char *name,
                             struct backup_done *done, struct err *e)
{
    const struct connection side = connection_to(s->dump->server, name);
    struct backup_spec backup = *s->backup;
    backup.live = &side;
    backup.as = s->like;
    say(s, "restoring it into a side database");
    if (!foreign_restore(a, s->dump, name, e))
        return false;
    say(s, "backing that up");
    return backup_take(a, &backup, done, e);
}

bool take_over(struct arena *a, const struct take_over_spec *spec, struct backup_done *done,
               struct err *e)
{
    const struct session_use use = {.application_name = "migsafe import"};
    const char *name = side_name(a, spec->like->name, "import", spec->run);
    AUTO(pg)
    struct pg *db =
        connection_open_maintenance(spec->dump->server, spec->maintenance_database, &use, e);
    if (db == NULL ||
        !side_create(a, db, &(struct side_spec){name, "import", spec->run, spec->like}, e))
        return false;
    return side_drop_after(a, db, name, fill_and_back_up(a, spec, name, done, e), e);
}
