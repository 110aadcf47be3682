/*
 * The first byte is a length of pieces, the rest SQL of others: it is let through or ERR_DAMAGED,
 * and however it is cut, the same is found and the same is blanked.
 */
#include "core/restore/foreign_scan.h"

#include "fuzz.h"

static bool scan(char *bytes, size_t n, size_t piece, struct foreign_scan *s, struct err *e)
{
    foreign_scan_begin(s);
    for (size_t at = 0; at < n; at += piece)
        if (!foreign_scan(s, bytes + at, n - at < piece ? n - at : piece, e))
            return false;
    return foreign_scan_end(s, e);
}

static char *copy_of(const uint8_t *data, size_t n)
{
    char *copy = malloc(n + 1); /* a heap block of its own: ASan sees what is read beyond */
    HOLDS(copy != NULL);
    memcpy(copy, data, n);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    struct foreign_scan whole, pieces;
    struct err e = {0}, again = {0};
    char *one = copy_of(data + 1, n - 1), *two = copy_of(data + 1, n - 1);
    bool good = scan(one, n - 1, n - 1, &whole, &e);
    HOLDS(scan(two, n - 1, 1 + data[0] % 64, &pieces, &again) == good);
    HOLDS(good || (e.kind == ERR_DAMAGED && again.kind == ERR_DAMAGED));
    /* Zero bytes are looked for in a piece before anything else. */
    if (!good && memchr(data + 1, '\0', n - 1) == NULL)
        HOLDS(strcmp(e.message, again.message) == 0);
    if (good) {
        HOLDS(memcmp(one, two, n - 1) == 0);
        HOLDS(strcmp(whole.server_version, pieces.server_version) == 0);
        HOLDS(whole.names_owner == pieces.names_owner && whole.creates == pieces.creates);
        HOLDS(whole.loads == pieces.loads && whole.opaque == pieces.opaque);
    }
    free(one);
    free(two);
    return 0;
}
