#include "base/log.h"
#include "steps/judging.h"

/* Its done record is the commit point: from there on nothing is undone. */
static bool apply(struct run *run, struct err *e)
{
    struct findings now = findings_on(run->arena);
    const struct judging live = {
        .where = &run->site.live, .baseline = &run->baseline, .measure = true};
    if (!judge_health(run, &live, &now, e))
        return err_wrap(e, "could not check the health of the migrated database");
    run->found = now;
    for (size_t i = 0; i < now.count; i++)
        if (now.items[i].level == FINDING_WARNING || now.items[i].allowed)
            log_warning("%s", finding_line(run->arena, &now.items[i]));
    if (findings_errors(&now) == 0)
        return true;
    run->permanent = true;
    return judged_unhealthy(run->arena, &now, ERR_UNHEALTHY, e);
}

const struct step step_health = {
    .name = "health",
    .what = "check the database's health and what it lost",
    .apply = apply,
    .commits = true,
};
