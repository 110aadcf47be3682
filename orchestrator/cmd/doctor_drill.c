#include "base/clock.h"
#include "base/fs.h"
#include "base/random.h"
#include "cmd/doctor.h"
#include "core/restore/drill.h"

void doctor_drill(struct doctor *d)
{
    struct err e = {0};
    struct database_facts facts;
    const struct settings *s = d->settings;
    if (d->maintenance == NULL || d->live == NULL)
        return;
    const struct drill_spec spec = {
        .live = &d->site.live,
        .server = &d->site.server,
        .maintenance_database = s->maintenance_database,
        .pg_bin = s->pg_bin,
        .run = arena_printf(d->arena, "%s_%s", clock_stamp(d->arena), random_hex(d->arena, 4)),
        .scratch_dir = s->state_dir,
        .facts = &facts,
        .accept_slots = strcmp(s->swap_with_slots, "accept") == 0,
    };
    int64_t began = clock_ms();
    if (database_read(d->arena, d->maintenance, d->site.live.dbname, &facts, &e) &&
        fs_mkdirs(d->arena, s->state_dir, &e) && drill(d->arena, &spec, &e))
        doctor_ok(d, "drill", "the way back works: schema, properties and swap, in %s",
                  clock_human_ms(d->arena, clock_ms() - began));
    else
        doctor_error(d, "drill", &e);
}
