#include "cmd/progress_line.h"

#include "base/log.h"
#include "tap.h"

static const struct progress_now QUARTER = {.doing = "backup",
                                            .done = 300 * 1024 * 1024,
                                            .total = 1200 * 1024 * 1024,
                                            .rate = 100 * 1024 * 1024,
                                            .left_ms = 8200};

TEST(the_line)
{
    AUTO(arena) struct arena *a = arena_new();
    struct progress_now now = QUARTER;
    CHECK_STR(progress_text(a, &now), "backup: 300 MB of 1.2 GB (25 %), 100 MB/s, 9 s left");
    now.left_ms = 250000;
    CHECK_STR(progress_text(a, &now), "backup: 300 MB of 1.2 GB (25 %), 100 MB/s, 4 min 10 s left");
    now = (struct progress_now){.doing = "restore", .done = 512, .left_ms = -1};
    CHECK_STR(progress_text(a, &now), "restore: 512 bytes");
}

/* What the log has after work of that many milliseconds, told ten times a second. */
static char *log_of(struct arena *a, int64_t every_ms, int64_t ms)
{
    char *text = NULL;
    size_t size = 0;
    struct err e = {0};
    FILE *to = open_memstream(&text, &size);
    log_init(LOG_INFO, to);
    const struct settings s = {.progress_interval_ms = every_ms};
    struct progress_line line = progress_line_new(&s, false);
    const struct progress *p = progress_line_of(&line);
    struct progress_now now = QUARTER;
    for (now.elapsed_ms = 0; now.elapsed_ms < ms; now.elapsed_ms += 100)
        CHECK(p->say(p->context, &now, &e));
    now.last = true;
    CHECK(p->say(p->context, &now, &e));
    progress_line_end(&line);
    log_init(LOG_INFO, stderr);
    fclose(to);
    char *copy = arena_strdup(a, text);
    free(text);
    return copy;
}

static int lines(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

TEST(no_terminal_a_line_now_and_then)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(log_of(a, 10000, 9900), "");
    CHECK_STR(log_of(a, 10000, 15000),
              "migsafe: info: backup: 300 MB of 1.2 GB (25 %), 100 MB/s, 9 s left\n");
    CHECK(lines(log_of(a, 10000, 60000)) == 5);
    CHECK_STR(log_of(a, 0, 60000), "");
}

TEST(tables_where_they_are_asked_for)
{
    for (int verbose = 0; verbose < 2; verbose++) {
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);
        log_init(LOG_INFO, to);
        const struct settings s = {0};
        struct progress_line line = progress_line_new(&s, verbose == 1);
        const struct progress *p = progress_line_of(&line);
        p->table(p->context, "public", "order", 1, 2048);
        log_init(LOG_INFO, stderr);
        fclose(to);
        CHECK_STR(text, verbose == 1 ? "migsafe: info: public.order: 1 row, 2.0 kB\n" : "");
        free(text);
    }
}
