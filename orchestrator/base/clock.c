#include "base/clock.h"

int64_t clock_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct deadline deadline_in(int64_t ms)
{
    return (struct deadline){.at_ms = ms == 0 ? 0 : clock_ms() + ms};
}

bool deadline_passed(const struct deadline *d)
{
    return d->at_ms != 0 && clock_ms() >= d->at_ms;
}

int deadline_left_ms(const struct deadline *d)
{
    if (d->at_ms == 0)
        return -1;
    int64_t left = d->at_ms - clock_ms();
    return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static struct tm utc_now(long *milliseconds)
{
    struct timespec ts;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    *milliseconds = ts.tv_nsec / 1000000;
    return tm;
}

char *clock_rfc3339(struct arena *a)
{
    long ms;
    char text[32];
    struct tm tm = utc_now(&ms);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    return arena_printf(a, "%s.%03ldZ", text, ms);
}

char *clock_stamp(struct arena *a)
{
    long ms;
    char text[32];
    struct tm tm = utc_now(&ms);
    strftime(text, sizeof(text), "%Y%m%d_%H%M%S", &tm);
    return arena_strdup(a, text);
}

int64_t clock_parse_rfc3339(const char *text)
{
    struct tm tm = {0};
    const char *rest = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL || (*rest != '.' && *rest != 'Z'))
        return -1;
    return (int64_t)timegm(&tm);
}

char *clock_human_ms(struct arena *a, int64_t ms)
{
    if (ms < 1000)
        return arena_printf(a, "%lld ms", (long long)ms);
    if (ms < 60000)
        return arena_printf(a, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    if (ms < 3600000)
        return arena_printf(a, "%lld min %lld s", (long long)(ms / 60000),
                            (long long)(ms / 1000 % 60));
    return arena_printf(a, "%lld h %lld min", (long long)(ms / 3600000),
                        (long long)(ms / 60000 % 60));
}
