#include "cmd/doctor.h"
#include "core/hook/hook.h"
#include "core/prisma/migrations.h"
#include "core/prisma/project.h"
#include "core/restore/side.h"
#include "steps/earlier.h"

void doctor_project(struct doctor *d)
{
    struct prisma_project project;
    struct migration_list folder;
    struct err e = {0};
    const struct settings *s = d->settings;
    if (!prisma_project_find(d->arena, s->project, s->schema, &project, &e) ||
        !migrations_read(d->arena, project.migrations, &folder, &e)) {
        doctor_error(d, "project", &e);
        return;
    }
    doctor_ok(d, "project", "%s in \"%s\"",
              str_plural(d->arena, (int64_t)folder.count, "migration", "migrations"),
              project.migrations);
    if (prisma_project_cli(d->arena, s->prisma, &project, &e))
        doctor_ok(d, "prisma", "%s in \"%s\"", project.version, project.root);
    else
        doctor_error(d, "prisma", &e);
}

void doctor_hooks(struct doctor *d)
{
    struct err e = {0};
    if (!hooks_check(d->arena, d->settings, &e))
        doctor_error(d, "hooks", &e);
    else if (d->settings->hooks_dir != NULL)
        doctor_ok(d, "hooks", "what is in \"%s\" can be run", d->settings->hooks_dir);
}

/* A run without an end, or one that waits for a decision: the next deploy would meet it. */
static void check_runs(struct doctor *d)
{
    struct err e = {0};
    struct earlier earlier;
    const char *database = d->site.live.dbname;
    if (!earlier_read(d->arena, d->settings->state_dir, &(struct earlier_of){.database = database},
                      &earlier, &e)) {
        doctor_warning(d, "runs", &e);
        return;
    }
    const char *text = earlier_text(d->arena, &earlier);
    if (text == NULL)
        return;
    err_set(&e, ERR_PREFLIGHT, "%s", text);
    doctor_warning(d, "runs", &e);
}

/* Databases of ours that lie about: kept ones take up room, others are leftovers of dead runs. */
void doctor_leftovers(struct doctor *d)
{
    struct side_database *items;
    size_t count;
    struct err e = {0};
    if (d->maintenance == NULL)
        return;
    check_runs(d);
    if (!side_list(d->arena, d->maintenance, d->site.live.dbname, &items, &count, &e)) {
        doctor_warning(d, "leftovers", &e);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct err found = {0};
        err_set(&found, ERR_PREFLIGHT, "%s database \"%s\" takes up %s", items[i].purpose,
                items[i].name, str_bytes(d->arena, items[i].bytes));
        err_hint(&found, "When nobody needs it: %s", side_drop_command(d->arena, items[i].name));
        doctor_warning(d, "leftovers", &found);
    }
    if (count == 0)
        doctor_ok(d, "leftovers", "no database of migsafe is left over");
}
