#include "core/settings/table.h"

#include <errno.h>
#include <limits.h>

/* PostgreSQL's own units, so an operator writes what postgresql.conf takes. */
static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct {
    const char *name;
    int shift;
} sizes[] = {{"B", 0}, {"kB", 10}, {"MB", 20}, {"GB", 30}, {"TB", 40}};

static bool read_number(const char *text, int64_t *value, const char **rest)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno == ERANGE || n > INT_MAX)
        return false;
    *value = n;
    *rest = end;
    return true;
}

bool setting_parse_int(const char *text, int *value)
{
    int64_t n;
    const char *rest;
    if (!read_number(text, &n, &rest) || *rest != '\0')
        return false;
    *value = (int)n;
    return true;
}

/* At most INT_MAX ms (24 days), as the server's own timeouts. */
bool setting_parse_duration_ms(const char *text, int64_t *ms)
{
    int64_t n;
    const char *rest;
    if (!read_number(text, &n, &rest))
        return false;
    if (*rest == '\0') {
        *ms = 0;
        return n == 0;
    }
    while (*rest == ' ')
        rest++;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(units[i].name, rest) != 0)
            continue;
        *ms = n * units[i].ms; /* both below 2^31: no overflow */
        return *ms <= INT_MAX;
    }
    return false;
}

/* The number is below 2^31: no overflow with any unit. */
bool setting_parse_size(const char *text, int64_t *bytes)
{
    int64_t n;
    const char *rest;
    if (!read_number(text, &n, &rest))
        return false;
    *bytes = 0;
    if (*rest == '\0')
        return n == 0;
    while (*rest == ' ')
        rest++;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        if (strcmp(sizes[i].name, rest) == 0) {
            *bytes = n << sizes[i].shift;
            return true;
        }
    return false;
}

char *setting_size_text(struct arena *a, int64_t bytes)
{
    size_t i = ARRAY_LEN(sizes) - 1;
    if (bytes == 0)
        return arena_strdup(a, "0");
    while (i > 0 && (bytes & (((int64_t)1 << sizes[i].shift) - 1)) != 0)
        i--;
    return arena_printf(a, "%lld%s", (long long)(bytes >> sizes[i].shift), sizes[i].name);
}

char *setting_duration_text(struct arena *a, int64_t ms)
{
    size_t i = ARRAY_LEN(units) - 1;
    if (ms == 0)
        return arena_strdup(a, "0");
    while (i > 0 && ms % units[i].ms != 0)
        i--;
    return arena_printf(a, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
}

bool setting_parse_boolean(const char *text, bool *value)
{
    static const char *const words[2][4] = {{"off", "false", "no", "0"},
                                            {"on", "true", "yes", "1"}};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 4; j++)
            if (strcmp(words[i][j], text) == 0) {
                *value = i == 1;
                return true;
            }
    return false;
}
