/*
 * Any bytes are a backup's tar or ERR_DAMAGED; what it holds has plain names and the sizes it says.
 */
#include "core/backup/tar.h"

#include "fuzz.h"

struct input {
    const uint8_t *at, *end;
};

static bool read_input(void *context, void *buffer, size_t max, size_t *n, struct err *e UNUSED)
{
    struct input *in = context;
    size_t left = (size_t)(in->end - in->at);
    *n = left < max ? left : max;
    memcpy(buffer, in->at, *n);
    in->at += *n;
    return true;
}

static bool read_one(struct tar *t, struct err *e)
{
    char buffer[1000];
    int64_t size = t->left, got = 0;
    HOLDS(t->name[0] != '\0' && t->name[0] != '.' && strchr(t->name, '/') == NULL && size >= 0);
    for (size_t n = 1; n > 0; got += (int64_t)n)
        if (!tar_read(t, buffer, sizeof(buffer), &n, e))
            return false;
    HOLDS(got == size && t->left == 0);
    return true;
}

/* Right sums for what looks like a header: chance would not find them. */
static void mend_sums(uint8_t *bytes, size_t n)
{
    enum { SUM_AT = 148, SUM_BYTES = 8, MAGIC_AT = 257 };
    for (uint8_t *block = bytes; (size_t)(bytes + n - block) >= TAR_BLOCK; block += TAR_BLOCK) {
        unsigned sum = 0;
        if (memcmp(block + MAGIC_AT, "ustar", 5) != 0)
            continue;
        memset(block + SUM_AT, ' ', SUM_BYTES);
        for (size_t i = 0; i < TAR_BLOCK; i++)
            sum += block[i];
        char text[SUM_BYTES + 1];
        snprintf(text, sizeof(text), "%06o", sum);
        memcpy(block + SUM_AT, text, 7);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    uint8_t *bytes = malloc(n + 1);
    HOLDS(bytes != NULL);
    memcpy(bytes, data, n);
    mend_sums(bytes, n);
    struct input in = {.at = bytes, .end = bytes + n};
    struct tar t = {.arena = a, .read = read_input, .context = &in, .names = strlist_on(a)};
    bool ok = true;
    (void)tar_is_backup((const char *)bytes, n);
    for (bool more = true; ok && more;)
        ok = tar_next(&t, &more, &e) && (!more || read_one(&t, &e));
    HOLDS(ok || e.kind == ERR_DAMAGED);
    for (size_t i = 0; i < t.names.count; i++)
        for (size_t k = 0; k < i; k++)
            HOLDS(strcmp(t.names.items[i], t.names.items[k]) != 0);
    free(bytes);
    return 0;
}
