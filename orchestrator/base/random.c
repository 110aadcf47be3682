#include "base/random.h"

#include <sys/random.h>

uint64_t random_u64(void)
{
    uint64_t value = 0;
    if (getrandom(&value, sizeof(value), 0) != (ssize_t)sizeof(value))
        value = (uint64_t)time(NULL) * 2654435761U;
    return value;
}

char *random_hex(struct arena *a, int digits)
{
    char text[17];
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)random_u64());
    return arena_strndup(a, text, (size_t)digits);
}
