#include "core/prisma/checksum.h"

#include "base/str.h"
#include "ext/digest.h"

enum { CHECKSUM_DIGITS = 64 };

static const char allow_words[] = "-- migsafe: allow ";

/*
 * Bytes of the sequence that starts at p, as Node's decoder cuts it: *valid says whether it is a
 * character; of a broken one the longest start that could have become one is a unit.
 */
static size_t utf8_unit(const unsigned char *p, size_t left, bool *valid)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t need;
    *valid = true;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        need = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        need = 3;
    else
        need = p[0] >= 0xF0 && p[0] <= 0xF4 ? 4 : 0;
    if (p[0] == 0xE0)
        low = 0xA0;
    else if (p[0] == 0xED)
        high = 0x9F;
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F;
    size_t n = 1;
    while (n < need && n < left && p[n] >= low && p[n] <= high) {
        low = 0x80;
        high = 0xBF;
        n++;
    }
    *valid = n == need;
    return n;
}

static struct str as_decoded(struct arena *a, const char *script, size_t length)
{
    struct str s = str_on(a);
    size_t kept = 0; /* start of what is not copied yet */
    for (size_t i = 0; i < length;) {
        bool valid;
        size_t n = utf8_unit((const unsigned char *)script + i, length - i, &valid);
        if (!valid) {
            str_add_n(&s, script + kept, i - kept);
            str_add(&s, "\xEF\xBF\xBD");
            kept = i + n;
        }
        i += n;
    }
    str_add_n(&s, script + kept, length - kept);
    return s;
}

char *script_checksum(struct arena *a, const char *script, size_t length)
{
    AUTO(arena) struct arena *scratch = arena_new();
    struct str text = as_decoded(scratch, script, length);
    return digest_sha256(a, text.text, text.length);
}

/* Prisma once wrote each byte of the sum without its leading zero. */
static bool is_short_form(const char *full, const char *checksum)
{
    char text[CHECKSUM_DIGITS + 1];
    size_t n = 0;
    for (size_t i = 0; i < CHECKSUM_DIGITS; i += 2) {
        if (full[i] != '0')
            text[n++] = full[i];
        text[n++] = full[i + 1];
    }
    text[n] = '\0';
    return strcmp(text, checksum) == 0;
}

static bool sum_is(struct arena *a, const struct str *text, const char *checksum)
{
    const char *sum = digest_sha256(a, text->text, text->length);
    return strlen(checksum) == CHECKSUM_DIGITS ? strcmp(sum, checksum) == 0
                                               : is_short_form(sum, checksum);
}

static struct str replaced(struct arena *a, const struct str *text, const char *what,
                           const char *with)
{
    struct str s = str_on(a);
    const char *from = text->text, *end = text->text + text->length;
    size_t n = strlen(what);
    for (const char *at; (at = memmem(from, (size_t)(end - from), what, n)) != NULL;) {
        str_add_n(&s, from, (size_t)(at - from));
        str_add(&s, with);
        from = at + n;
    }
    str_add_n(&s, from, (size_t)(end - from));
    return s;
}

static bool matches_with_any_line_ends(struct arena *a, const struct str *text,
                                       const char *checksum)
{
    if (sum_is(a, text, checksum))
        return true;
    struct str lf = replaced(a, text, "\r\n", "\n");
    if (sum_is(a, &lf, checksum))
        return true;
    struct str crlf = replaced(a, text, "\n", "\r\n");
    return sum_is(a, &crlf, checksum);
}

static bool is_allow_line(const char *line, size_t n)
{
    size_t blanks = 0, words = strlen(allow_words);
    while (blanks < n && (line[blanks] == ' ' || line[blanks] == '\t'))
        blanks++;
    return n - blanks >= words && memcmp(line + blanks, allow_words, words) == 0;
}

/* *last: the script ended in such a line, so its writer may have added the line break before it. */
static struct str without_allow_lines(struct arena *a, const struct str *text, bool *last)
{
    struct str s = str_on(a);
    const char *line = text->text, *end = text->text + text->length;
    *last = false;
    while (line < end) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        size_t n = (size_t)((line_end == NULL ? end : line_end + 1) - line);
        *last = is_allow_line(line, n);
        if (!*last)
            str_add_n(&s, line, n);
        line += n;
    }
    return s;
}

static void drop_line_end(struct str *s)
{
    if (s->length > 0 && s->text[s->length - 1] == '\n')
        s->text[--s->length] = '\0';
    if (s->length > 0 && s->text[s->length - 1] == '\r')
        s->text[--s->length] = '\0';
}

bool script_checksum_matches(const char *script, size_t length, const char *checksum)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str text = as_decoded(a, script, length);
    if (matches_with_any_line_ends(a, &text, checksum))
        return true;
    bool last;
    struct str plain = without_allow_lines(a, &text, &last);
    if (plain.length == text.length)
        return false;
    if (matches_with_any_line_ends(a, &plain, checksum))
        return true;
    drop_line_end(&plain);
    return last && matches_with_any_line_ends(a, &plain, checksum);
}
