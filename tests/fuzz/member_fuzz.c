/*
 * The first byte chooses: the rest is a packed file, which is read to its end or is ERR_DAMAGED,
 * and as zlib reads it; or it is text that is packed, and read again from each piece on.
 */
#include "ext/member.h"

#include "base/str.h"
#include "ext/pack.h"

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

enum { MOST_BYTES = 3 << 20 }; /* of text: a small file may hold a lot */

static const char *path; /* of a file that is in memory only */
static int memory = -1;

static void put_file(const char *bytes, size_t n)
{
    if (memory < 0) {
        static char name[64];
        memory = memfd_create("member", MFD_CLOEXEC);
        snprintf(name, sizeof(name), "/proc/self/fd/%d", memory);
        path = name;
    }
    HOLDS(ftruncate(memory, 0) == 0 && pwrite(memory, bytes, n, 0) == (ssize_t)n);
}

/* False: damage, after the text that is there; or more text than we wait for. */
static bool read_text(const struct member_range *range, struct str *text)
{
    struct err e = {0};
    const char *piece;
    AUTO(member) struct member_reader *r = member_open(range, &e);
    HOLDS(r != NULL);
    for (size_t n = 1; n > 0;) {
        if (!member_read(r, &piece, &n, &e)) {
            HOLDS(e.kind == ERR_DAMAGED && str_starts(e.message, "it "));
            return false;
        }
        str_add_n(text, piece, n);
        if (text->length > MOST_BYTES)
            return false;
    }
    return true;
}

static void agree_with_zlib(struct arena *a, const struct str *text)
{
    struct err e = {0};
    char *bytes = arena_alloc(a, text->length + 2);
    size_t n = 0;
    AUTO(unpack) struct unpack *u = unpack_open(a, path, "it", &e);
    HOLDS(u != NULL && unpack_read(u, bytes, text->length + 1, &n, &e));
    HOLDS(n == text->length && memcmp(bytes, text->text, n) == 0);
}

static void unpack_it(struct arena *a, enum member_codec codec, const char *bytes, size_t n)
{
    put_file(bytes, n);
    struct str text = str_on(a), exactly = str_on(a);
    struct member_range range = {.path = path, .name = "it", .to = -1, .codec = codec};
    bool whole = read_text(&range, &text);
    if (whole && codec == MEMBER_GZIP)
        agree_with_zlib(a, &text);
    range.to = (int64_t)n;
    if (text.length <= MOST_BYTES)
        HOLDS(read_text(&range, &exactly) == (whole || n == 0) && exactly.length == text.length);
    range.to++;
    HOLDS(!read_text(&range, &exactly));
}

static void pack_it(struct arena *a, enum member_codec codec, int level, const char *bytes,
                    size_t n)
{
    struct err e = {0};
    struct str file = str_on(a);
    size_t half = n == 0 ? 0 : (unsigned char)bytes[0] % n;
    AUTO(packer) struct packer *p = packer_open(codec, level, &e);
    const void *out = NULL;
    size_t out_n = 0;
    HOLDS(p != NULL && packer_pack(p, bytes, half, &out, &out_n, &e));
    str_add_n(&file, out, out_n);
    int64_t middle = (int64_t)file.length;
    HOLDS(packer_pack(p, bytes + half, n - half, &out, &out_n, &e));
    str_add_n(&file, out, out_n);
    put_file(file.text, file.length);
    const struct member_range ranges[] = {
        {.path = path, .name = "it", .to = -1, .codec = codec},
        {.path = path, .name = "it", .to = middle, .codec = codec},
        {.path = path, .name = "it", .from = middle, .to = (int64_t)file.length, .codec = codec}};
    const size_t from[] = {0, 0, half}, to[] = {n, half, n};
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        struct str text = str_on(a);
        HOLDS(read_text(&ranges[i], &text) && text.length == to[i] - from[i]);
        HOLDS(memcmp(text.text, bytes + from[i], text.length) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena) struct arena *a = arena_new();
    if (n < 1)
        return 0;
    const char *bytes = (const char *)data + 1;
    enum member_codec codec = data[0] % 2 == 0 ? MEMBER_GZIP : MEMBER_ZSTD;
    if (data[0] < 128)
        unpack_it(a, codec, bytes, n - 1);
    else
        pack_it(a, codec, 1 + data[0] / 2 % 6, bytes, n - 1);
    return 0;
}
