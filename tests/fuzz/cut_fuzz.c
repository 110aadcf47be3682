/*
 * COPY text with fields cut out or looked at: the same in whatever pieces it comes; a row with
 * another number of fields is ERR_DAMAGED; nothing is made up.  First byte: which fields, and
 * pieces.
 */
#include "core/restore/data_text.h"

#include "fuzz.h"

enum { FIELDS = 3 };

static bool cut(struct arena *a, const char *text, size_t n, size_t piece, const bool *drop,
                struct str *out)
{
    struct err e = {0};
    struct data_cut c = {.drop = drop, .field_count = FIELDS};
    *out = str_on(a);
    for (size_t at = 0; at < n; at += piece)
        if (!data_cut_text(&c, text + at, n - at < piece ? n - at : piece, out, &e)) {
            HOLDS(e.kind == ERR_DAMAGED);
            return false;
        }
    bool ok = data_cut_text(&c, "", 0, out, &e);
    HOLDS(ok || e.kind == ERR_DAMAGED);
    return ok;
}

static void see(void *context, const char *value)
{
    str_printf(context, "%zu:%s;", strlen(value), value);
}

static bool look(struct arena *a, const char *text, size_t n, size_t piece, struct str *seen)
{
    struct err e = {0};
    *seen = str_on(a);
    const struct data_watch watches[] = {{0, see, seen}, {2, see, seen}};
    struct data_look l = {
        .watches = watches, .watch_count = 2, .field_count = FIELDS, .value = str_on(a)};
    for (size_t at = 0; at < n; at += piece)
        if (!data_look_text(&l, text + at, n - at < piece ? n - at : piece, &e)) {
            HOLDS(e.kind == ERR_DAMAGED);
            return false;
        }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    AUTO(arena) struct arena *a = arena_new();
    const char *text = (const char *)data + 1;
    const bool drop[FIELDS] = {(data[0] & 1) != 0, (data[0] & 2) != 0, (data[0] & 4) != 0};
    size_t piece = (size_t)(data[0] >> 3) + 1;
    struct str whole, pieces;
    n--;
    bool ok = cut(a, text, n, n, drop, &whole);
    HOLDS(cut(a, text, n, piece, drop, &pieces) == ok);
    HOLDS(!ok ||
          (whole.length == pieces.length && memcmp(whole.text, pieces.text, whole.length) == 0));
    HOLDS(whole.length <= n);
    HOLDS(!ok || drop[0] || drop[1] || drop[2] ||
          (whole.length == n && memcmp(whole.text, text, n) == 0));
    ok = look(a, text, n, n, &whole);
    HOLDS(look(a, text, n, piece, &pieces) == ok);
    HOLDS(!ok || strcmp(whole.text, pieces.text) == 0);
    return 0;
}
