#include "core/init/bypass.h"
#include "core/init/planning.h"

enum { BYPASSES_SHOWN = 8 };

/* Of the variables that the project itself reads its URL from, those that we do not read. */
static struct strlist other_variables(const struct planning *p)
{
    struct strlist others = strlist_on(p->arena);
    for (size_t i = 0; i < p->project.url_variables.count; i++) {
        const char *name = p->project.url_variables.items[i];
        if (strcmp(name, "DATABASE_URL") != 0 && strcmp(name, "DIRECT_URL") != 0)
            strlist_add(&others, name);
    }
    return others;
}

static void say_url(struct planning *p)
{
    const struct strlist others = other_variables(p);
    if (p->wish->settings->url != NULL || p->wish->settings->direct_url != NULL)
        return;
    if (others.count == 0)
        plan_next(p,
                  "Set DATABASE_URL, in the environment or in .env; and DIRECT_URL where a pooler "
                  "stands in between.");
    else
        plan_next(p,
                  "Set MIGSAFE_URL, in the environment or in .env, to the URL without a pooler: "
                  "this project has it in %s, where migsafe gives it to Prisma.",
                  strlist_join(&others, ", "));
}

static void say_bypasses(struct planning *p)
{
    const struct strlist found = bypasses(p->arena, p->plan->folder);
    struct strlist shown = strlist_on(p->arena);
    for (size_t i = 0; i < found.count && i < BYPASSES_SHOWN; i++)
        strlist_add(&shown, found.items[i]);
    if (found.count > 0)
        plan_next(
            p,
            "These run `prisma migrate deploy` past migsafe, without backup and way back; put "
            "`migsafe deploy` there: %s%s.",
            strlist_join(&shown, ", "), found.count > shown.count ? " and more" : "");
}

void plan_first_steps(struct planning *p)
{
    say_url(p);
    say_bypasses(p);
    plan_next(p, "`migsafe doctor` tells whether migsafe can work here.");
    plan_next(p,
              "`migsafe deploy --dry-run` shows what a deploy would do; `migsafe deploy` does it.");
}
