#include "cmd/progress_line.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

/* Work that is done sooner shows nothing; then five times a second. */
enum { FIRST_MS = 300, EVERY_MS = 200 };

static const char *left(struct arena *a, int64_t ms)
{
    int64_t seconds = (ms + 999) / 1000;
    return seconds < 60 ? arena_printf(a, "%lld s", (long long)seconds)
                        : clock_human_ms(a, seconds * 1000);
}

char *progress_text(struct arena *a, const struct progress_now *now)
{
    struct str s = str_on(a);
    str_printf(&s, "%s: %s", now->doing, str_bytes(a, now->done));
    if (now->total > 0)
        str_printf(&s, " of %s (%d %%)", str_bytes(a, now->total),
                   (int)((double)now->done * 100 / (double)now->total));
    if (now->rate > 0)
        str_printf(&s, ", %s/s", str_bytes(a, now->rate));
    if (now->left_ms >= 0)
        str_printf(&s, ", %s left", left(a, now->left_ms));
    return s.text;
}

static bool say(void *context, const struct progress_now *now, struct err *e)
{
    struct progress_line *l = context;
    (void)e;
    if (now->last) {
        log_in_place(NULL);
        l->shown_ms = l->logged_ms = 0;
        return true;
    }
    if (l->every_ms == 0 || now->elapsed_ms < FIRST_MS || now->elapsed_ms < l->shown_ms + EVERY_MS)
        return true;
    AUTO(arena) struct arena *a = arena_new();
    l->shown_ms = now->elapsed_ms;
    if (log_in_place(progress_text(a, now)) || now->elapsed_ms < l->logged_ms + l->every_ms)
        return true;
    l->logged_ms = now->elapsed_ms;
    log_info("%s", progress_text(a, now));
    return true;
}

static void table(void *context, const char *schema, const char *name, int64_t rows, int64_t bytes)
{
    const struct progress_line *l = context;
    AUTO(arena) struct arena *a = arena_new();
    /* Backups of old do not tell how much text a table has. */
    log_line(l->verbose ? LOG_INFO : LOG_DEBUG, "%s.%s: %s%s%s", schema, name,
             str_plural(a, rows, "row", "rows"), bytes > 0 ? ", " : "",
             bytes > 0 ? str_bytes(a, bytes) : "");
}

struct progress_line progress_line_new(const struct settings *s, bool verbose)
{
    return (struct progress_line){.verbose = verbose, .every_ms = s->progress_interval_ms};
}

struct progress *progress_line_of(struct progress_line *l)
{
    l->progress.say = say;
    l->progress.table = table;
    l->progress.context = l;
    return &l->progress;
}

void progress_line_end(struct progress_line *l)
{
    log_in_place(NULL);
    progress_release(&l->progress);
}
