/*
 * COPY text, cut in whichever pieces (the first byte says), counts and is cut the same, or is
 * ERR_DAMAGED.
 */
#include "core/backup/text_count.h"
#include "core/restore/data_text.h"

#include "fuzz.h"

enum { COLUMNS = 3 };

static bool count(struct text_count *c, const char *text, size_t n, size_t piece, struct err *e)
{
    for (size_t at = 0; at < n; at += piece)
        if (!text_count_add(c, text + at, n - at < piece ? n - at : piece, e))
            return false;
    return text_count_end(c, e);
}

static void counts_agree(struct arena *a, const char *text, size_t n, size_t piece, bool any_width)
{
    struct err e = {0}, again = {0};
    struct text_count one = text_count_on(a, COLUMNS), two = text_count_on(a, COLUMNS);
    one.any_width = two.any_width = any_width;
    bool good = count(&one, text, n, n, &e);
    HOLDS(count(&two, text, n, piece, &again) == good);
    HOLDS(good || (e.kind == ERR_DAMAGED && strcmp(e.message, again.message) == 0));
    if (!good)
        return;
    HOLDS(one.rows == two.rows && one.bytes == two.bytes && one.content == two.content);
    HOLDS(one.odd_width == two.odd_width && one.ended == two.ended && one.rows <= one.bytes);
    HOLDS(memcmp(one.nulls, two.nulls, COLUMNS * sizeof(*one.nulls)) == 0);
}

static bool cut(struct str *out, const char *text, size_t n, size_t piece, struct err *e)
{
    static const bool drop[COLUMNS] = {false, true, false};
    struct data_cut c = {.drop = drop, .field_count = COLUMNS};
    for (size_t at = 0; at < n; at += piece) {
        struct str some = str_on(out->arena);
        if (!data_cut_text(&c, text + at, n - at < piece ? n - at : piece, &some, e))
            return false;
        str_add_n(out, some.text, some.length);
    }
    return true;
}

static void cuts_agree(struct arena *a, const char *text, size_t n, size_t piece)
{
    struct err e = {0}, again = {0};
    struct str one = str_on(a), two = str_on(a);
    bool good = cut(&one, text, n, n, &e);
    HOLDS(cut(&two, text, n, piece, &again) == good);
    HOLDS(good || (e.kind == ERR_DAMAGED && again.kind == ERR_DAMAGED));
    if (good)
        HOLDS(one.length == two.length && memcmp(one.text, two.text, one.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    AUTO(arena) struct arena *a = arena_new();
    size_t piece = 1 + data[0] % 16;
    char *text = malloc(n - 1);
    HOLDS(text != NULL);
    memcpy(text, data + 1, n - 1);
    counts_agree(a, text, n - 1, piece, data[0] >= 128);
    cuts_agree(a, text, n - 1, piece);
    free(text);
    return 0;
}
