#include "core/fence/clear.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "core/fence/fence.h"
#include "core/runlock.h"

enum { LOOK_EVERY_MS = 500 };

void fence_clear_expired(struct arena *a, const struct site *site, const struct settings *s)
{
    struct err e = {0};
    bool at_work = false;
    const char *live = site->live.dbname;
    AUTO(pg) struct pg *db = site_open_maintenance(site, s, NULL, &e);
    if (db == NULL)
        return;
    if (!runlock_busy(a, db, live, &at_work, &e) ||
        (!at_work && !fence_lift_expired(a, db, live, &e)))
        log_err_as(LOG_WARNING, &e);
}

bool fence_clear(struct arena *a, struct pg *maintenance, const char *live,
                 const struct settings *s, struct err *e)
{
    struct deadline limit = deadline_in(s->wait_for_other_ms > 0 ? s->wait_for_other_ms : 1);
    bool told = false;
    for (;;) {
        struct fence_mark mark;
        if (!fence_lift_expired(a, maintenance, live, e) ||
            !fence_read(a, maintenance, live, &mark, e))
            return false;
        if (mark.run == NULL)
            return true;
        if (deadline_passed(&limit))
            return err_set(e, ERR_BUSY, "run %s has fenced database \"%s\" until %s", mark.run,
                           live, mark.until);
        if (!told)
            log_info("run %s left a fence on database \"%s\": waiting until it expires at %s",
                     mark.run, live, mark.until);
        told = true;
        if (!stop_sleep_ms(LOOK_EVERY_MS, e))
            return false;
    }
}
