#include "base/clock.h"
#include "base/fs.h"
#include "base/random.h"
#include "cmd/doctor.h"
#include "core/restore/drill.h"
#include "core/restore/inplace_possible.h"

/* As preflight of a deploy goes on where no swap is possible. */
static void look_in_place(struct doctor *d, const struct drill_spec *swap, struct err *no_swap)
{
    struct err e = {0};
    struct inplace_plan plan;
    const struct connection live = connection_to(swap->server, swap->live->dbname);
    const struct inplace_possible_spec spec = {.dumps = swap->live,
                                               .restores = &live,
                                               .pg_bin = swap->pg_bin,
                                               .scratch_dir = swap->scratch_dir,
                                               .facts = swap->facts};
    if (no_swap->kind != ERR_PREFLIGHT || strcmp(d->settings->way_back, "auto") != 0) {
        doctor_error(d, "drill", no_swap);
    } else if (inplace_possible(d->arena, &spec, &plan, &e)) {
        err_wrap(no_swap,
                 "no swap is possible, but a way back in the database itself, with %s of "
                 "%s locks",
                 str_count(d->arena, plan.locks), str_count(d->arena, plan.lock_table));
        doctor_warning(d, "drill", no_swap);
    } else {
        err_detail(no_swap, "%s",
                   arena_printf(d->arena, "%s%sIn place neither: %s.", no_swap->detail,
                                no_swap->detail[0] ? " " : "", e.message));
        doctor_error(d, "drill", no_swap);
    }
}

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
        look_in_place(d, &spec, &e);
}
