#include "cmd/restore_inplace.h"

#include "base/clock.h"
#include "cmd/emergency.h"

bool restore_inplace_look(struct cmd_context *ctx, const struct site *site,
                          const struct stored *backup, struct restore_inplace *in, struct err *e)
{
    const struct settings *s = ctx->settings;
    in->live = connection_to(&site->server, site->live.dbname);
    in->spec = (struct inplace_spec){
        .live = &in->live,
        .backup = backup,
        .pg_bin = s->pg_bin,
        .jobs = s->jobs,
        .lock_timeout_ms = s->lock_timeout_ms,
        .progress = in->spec.progress,
    };
    return inplace_look(ctx->arena, &in->spec, &in->plan, e);
}

bool restore_inplace_save(struct cmd_context *ctx, const struct site *site, const char *run,
                          struct restore_inplace *in, struct err *e)
{
    return emergency_backup(ctx, &site->live, run, "before a restore in place", &in->saved, e);
}

char *restore_inplace_question(struct arena *a, const char *live, const char *what)
{
    return arena_printf(a,
                        "What is now in database \"%s\" is dropped and made again from %s, in one"
                        " transaction that locks its tables. An emergency backup is taken before;"
                        " what others write between the two is lost.",
                        live, what);
}

char *restore_inplace_line(struct arena *a, const struct inplace_plan *plan)
{
    return arena_printf(a, "%s in schemas %s would be dropped, %s made, about %s of %s locks taken",
                        str_plural(a, plan->dropped, "object", "objects"),
                        strlist_join(&plan->schemas, ", "), str_count(a, plan->made),
                        str_count(a, plan->locks), str_count(a, plan->lock_table));
}

void restore_inplace_print(struct cmd_context *ctx, const struct restore_what *what,
                           const struct restore_inplace *in,
                           const struct restore_inplace_done *done)
{
    struct arena *a = ctx->arena;
    if (!ctx->json) {
        fprintf(ctx->out, "database \"%s\" restored in place from backup %s in %s\n", done->live,
                what->backup->id, clock_human_ms(a, done->elapsed_ms));
        fprintf(ctx->out, "saved: what was there before is backup %s\n", in->saved.id);
        fprintf(ctx->out, "       to bring it back: migsafe restore %s --in-place\n", in->saved.id);
        return;
    }
    struct json *j = json_object();
    json_put(j, "verdict", "restored");
    json_put(j, "run", done->run);
    json_put(j, "database", done->live);
    json_put_bool(j, "in_place", true);
    json_put(j, "emergency_backup", in->saved.id);
    restore_put_what(j, what, true);
    json_put_int(j, "elapsed_ms", done->elapsed_ms);
    cmd_print(ctx, j);
}
