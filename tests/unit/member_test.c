#include "ext/member.h"

#include "base/fs.h"
#include "base/proc.h"
#include "ext/pack.h"

#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

static const char *path_of(struct arena *a, const char *suffix)
{
    return arena_printf(a, "/tmp/migsafe-member-%d%s", (int)getpid(), suffix);
}

static bool write_bytes(const char *path, const char *bytes, size_t n)
{
    AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd >= 0 && write(fd, bytes, n) == (ssize_t)n;
}

/* What COPY writes, about. */
static char *sample(struct arena *a, size_t n)
{
    char *text = arena_alloc(a, n + 64);
    unsigned state = 7;
    for (size_t at = 0; at < n;) {
        state = state * 1103515245U + 12345U;
        at += (size_t)snprintf(text + at, 64, "%zu\trow of %u\t\\N\tthe same\n", at, state >> 16);
    }
    return text;
}

/* Nothing packs this. */
static char *noise(struct arena *a, size_t n)
{
    char *bytes = arena_alloc(a, n + 1);
    uint64_t state = 88172645463325252U;
    for (size_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (char)(state >> 32);
    }
    return bytes;
}

static void read_on(struct member_reader *r, struct str *got, struct err *e)
{
    const char *text = NULL;
    for (size_t n = 1; n > 0;) {
        if (!member_read(r, &text, &n, e))
            return;
        str_add_n(got, text, n);
    }
}

/* The text of a range, and how reading it ended. */
static struct str read_range(struct arena *a, const struct member_range *range, struct err *e)
{
    struct str got = str_on(a);
    *e = (struct err){0};
    AUTO(member) struct member_reader *r = member_open(range, e);
    if (r != NULL)
        read_on(r, &got, e);
    return got;
}

static struct str read_all(struct arena *a, const char *path, struct err *e)
{
    return read_range(
        a,
        &(struct member_range){
            .path = path, .name = "the file", .to = -1, .codec = member_codec_of(path)},
        e);
}

/* Adds a piece; its offset is where the file ended. */
static bool add_piece(struct packer *p, struct str *file, const char *text, size_t n)
{
    struct err e = {0};
    const void *out;
    size_t out_n;
    if (!packer_pack(p, text, n, &out, &out_n, &e))
        return false;
    str_add_n(file, out, out_n);
    return true;
}

static bool same(const struct str *got, const char *text, size_t n)
{
    return got->length == n && memcmp(got->text, text, n) == 0;
}

TEST(suffixes_name_codecs)
{
    static const enum member_codec codecs[] = {MEMBER_NONE, MEMBER_GZIP, MEMBER_ZSTD};
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
        CHECK(member_codec_of(arena_printf(a, "7.dat%s", member_suffix(codecs[i]))) == codecs[i]);
}

static const struct {
    enum member_codec codec;
    int level;
} ways[] = {{MEMBER_NONE, 0}, {MEMBER_GZIP, 1}, {MEMBER_GZIP, 6}, {MEMBER_GZIP, 9},
            {MEMBER_ZSTD, 1}, {MEMBER_ZSTD, 3}, {MEMBER_ZSTD, 19}};

static const size_t sizes[] = {0, 1, MEMBER_TEXT_BYTES, 3 << 20, 0, 700};

/* All pieces one after another, and from the start of each one to its end and to the file's. */
static void check_way(struct arena *a, enum member_codec codec, int level, const char *text)
{
    struct err e = {0};
    struct str file = str_on(a);
    int64_t starts[ARRAY_LEN(sizes) + 1] = {0};
    size_t texts[ARRAY_LEN(sizes) + 1] = {0};
    AUTO(packer) struct packer *p = packer_open(codec, level, &e);
    CHECK(p != NULL);
    for (size_t i = 0; p != NULL && i < ARRAY_LEN(sizes); i++) {
        CHECK(add_piece(p, &file, text + texts[i], sizes[i]));
        starts[i + 1] = (int64_t)file.length;
        texts[i + 1] = texts[i] + sizes[i];
    }
    size_t all = texts[ARRAY_LEN(sizes)];
    CHECK(codec == MEMBER_NONE ? file.length == all : file.length < all * 3 / 4);
    const char *path = path_of(a, member_suffix(codec));
    CHECK(write_bytes(path, file.text, file.length));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct member_range range = {.path = path,
                                     .name = "the file",
                                     .from = starts[i],
                                     .to = starts[i + 1],
                                     .codec = codec};
        struct str got = read_range(a, &range, &e);
        CHECK(e.kind == ERR_NONE && same(&got, text + texts[i], sizes[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i += 3) {
        struct member_range range = {
            .path = path, .name = "the file", .from = starts[i], .to = -1, .codec = codec};
        struct str got = read_range(a, &range, &e);
        CHECK(e.kind == ERR_NONE && same(&got, text + texts[i], all - texts[i]));
    }
    unlink(path);
}

TEST(what_is_packed_is_read_again)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *text = sample(a, 5 << 20);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        check_way(a, ways[i].codec, ways[i].level, text);
}

TEST(levels_that_are_none_are_refused)
{
    static const struct {
        enum member_codec codec;
        int level;
    } bad[] = {{MEMBER_GZIP, 0}, {MEMBER_GZIP, 13}, {MEMBER_ZSTD, 0}, {MEMBER_ZSTD, 20}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        AUTO(packer) struct packer *p = packer_open(bad[i].codec, bad[i].level, &e);
        CHECK(p == NULL && e.kind == ERR_INTERNAL);
    }
}

static const enum member_codec packed[] = {MEMBER_GZIP, MEMBER_ZSTD};

/* The worst text for a packer is one member still, and still found without zlib. */
TEST(noise_passes)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    const char *bytes = noise(a, MEMBER_TEXT_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(packed); i++) {
        AUTO(packer) struct packer *p = packer_open(packed[i], 1, &e);
        struct str file = str_on(a);
        const char *path = path_of(a, member_suffix(packed[i]));
        for (int k = 0; k < 3; k++)
            CHECK(p != NULL && add_piece(p, &file, bytes, MEMBER_TEXT_BYTES));
        CHECK(write_bytes(path, file.text, file.length));
        struct str got = read_all(a, path, &e);
        CHECK(e.kind == ERR_NONE && got.length == 3 * (size_t)MEMBER_TEXT_BYTES);
        CHECK(memcmp(got.text + 2 * (size_t)MEMBER_TEXT_BYTES, bytes, MEMBER_TEXT_BYTES) == 0);
        unlink(path);
    }
}

/* As the tools themselves see the files, and as we see theirs. */
TEST(the_tools_agree)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const tools[] = {[MEMBER_GZIP] = "gzip", [MEMBER_ZSTD] = "zstd"};
    const char *text = sample(a, 300000);
    for (size_t i = 1; i < ARRAY_LEN(ways); i++) {
        struct err e = {0};
        struct proc_result r;
        const char *tool = tools[ways[i].codec], *path = path_of(a, member_suffix(ways[i].codec));
        const char *script = "command -v $0 >/dev/null || exit 99; $0 -q -t \"$1\" && "
                             "$0 -q -d -c \"$1\" | $0 -q -c >\"$1.new\" && mv \"$1.new\" \"$1\"";
        AUTO(packer) struct packer *p = packer_open(ways[i].codec, ways[i].level, &e);
        struct str file = str_on(a);
        for (size_t at = 0; at < 300000; at += 100000)
            CHECK(p != NULL && add_piece(p, &file, text + at, 100000) &&
                  add_piece(p, &file, "", 0));
        CHECK(write_bytes(path, file.text, file.length));
        CHECK(proc_run(
            a,
            &(struct proc_spec){.argv = (const char *const[]){"sh", "-c", script, tool, path, NULL},
                                .timeout_ms = 60000},
            &r, &e));
        if (r.exit_status == 99)
            TAP_SKIP("gzip or zstd is not here");
        else
            CHECK(r.exit_status == 0);
        struct str got = read_all(a, path, &e);
        CHECK(e.kind == ERR_NONE && same(&got, text, 300000));
        unlink(path);
    }
}

/* pg_dump's: one member for a whole table. */
TEST(a_huge_member_is_read_as_a_stream)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    enum { HUGE_BYTES = 6 << 20 };
    const char *text = noise(a, HUGE_BYTES), *path = path_of(a, ".gz");
    struct str file = str_on(a);
    AUTO(packer) struct packer *small = packer_open(MEMBER_GZIP, 1, &e);
    {
        AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        AUTO(pack) struct pack *p = pack_open(a, fd, true, "the file", &e);
        CHECK(p != NULL && pack_write(p, text, HUGE_BYTES, &e) && pack_finish(p, &e));
    }
    struct str got = read_all(a, path, &e);
    CHECK(e.kind == ERR_NONE && same(&got, text, HUGE_BYTES));
    /* Twice, with small ones between and after. */
    char *bytes;
    size_t n;
    CHECK(fs_read(a, path, 64 << 20, &bytes, &n, &e));
    CHECK(small != NULL && add_piece(small, &file, "one\n", 4));
    str_add_n(&file, bytes, n);
    CHECK(small != NULL && add_piece(small, &file, "two\n", 4));
    str_add_n(&file, bytes, n);
    CHECK(small != NULL && add_piece(small, &file, "\\.\n\n\n", 5));
    CHECK(write_bytes(path, file.text, file.length));
    got = read_all(a, path, &e);
    CHECK(e.kind == ERR_NONE && got.length == 2 * (size_t)HUGE_BYTES + 13);
    CHECK(memcmp(got.text, "one\n", 4) == 0 && memcmp(got.text + 4, text, HUGE_BYTES) == 0);
    CHECK(memcmp(got.text + 4 + HUGE_BYTES, "two\n", 4) == 0);
    CHECK(memcmp(got.text + 8 + HUGE_BYTES, text, HUGE_BYTES) == 0);
    CHECK(strcmp(got.text + got.length - 5, "\\.\n\n\n") == 0);
    /* Cut off in the middle of the first. */
    CHECK(truncate(path, 3 << 20) == 0);
    got = read_all(a, path, &e);
    CHECK(e.kind == ERR_DAMAGED && got.length > (2 << 20) && got.length < HUGE_BYTES);
    CHECK_STR(e.message, "the file is cut off: its last gzip member has no end");
    unlink(path);
}

/* A file of three small pieces, the last one without text. */
static struct str small_file(struct arena *a, enum member_codec codec, size_t *starts)
{
    struct err e = {0};
    struct str file = str_on(a);
    AUTO(packer) struct packer *p = packer_open(codec, 3, &e);
    static const char *const texts[] = {"1\tone\n2\ttwo\n", "3\tthree\n3\tthree\n3\tthree\n", ""};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        starts[i] = file.length;
        CHECK(p != NULL && add_piece(p, &file, texts[i], strlen(texts[i])));
    }
    starts[3] = file.length;
    return file;
}

static const char small_text[] = "1\tone\n2\ttwo\n3\tthree\n3\tthree\n3\tthree\n";

TEST(a_cut_is_seen)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(packed); i++) {
        struct err e;
        size_t starts[4];
        struct str file = small_file(a, packed[i], starts);
        const char *path = path_of(a, member_suffix(packed[i]));
        for (size_t n = 0; n < file.length; n++) {
            CHECK(write_bytes(path, file.text, n));
            struct str got = read_all(a, path, &e);
            bool whole = n == starts[1] || n == starts[2];
            CHECK(whole ? e.kind == ERR_NONE : e.kind == ERR_DAMAGED);
            CHECK(whole || strstr(e.message, "the file is ") != NULL);
            CHECK(strncmp(got.text, small_text, got.length) == 0);
            /* Whoever knows where it has to end sees every cut. */
            const struct member_range range = {
                .path = path, .name = "the file", .to = (int64_t)file.length, .codec = packed[i]};
            (void)read_range(a, &range, &e);
            CHECK(e.kind == ERR_DAMAGED);
        }
        unlink(path);
    }
}

TEST(a_range_ends_where_it_ends)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(packed); i++) {
        struct err e;
        size_t starts[4];
        struct str file = small_file(a, packed[i], starts);
        const char *path = path_of(a, member_suffix(packed[i]));
        CHECK(write_bytes(path, file.text, file.length));
        struct member_range range = {.path = path, .name = "the file", .codec = packed[i]};
        for (size_t to = 0; to <= file.length; to++) {
            range.to = (int64_t)to;
            struct str got = read_range(a, &range, &e);
            bool piece = to == 0 || to == starts[1] || to == starts[2] || to == file.length;
            CHECK(piece ? e.kind == ERR_NONE : e.kind == ERR_DAMAGED);
            CHECK(to != starts[1] || same(&got, small_text, 12));
        }
        /* Behind the end there is nothing, and no piece begins where the file ends. */
        range.to = -1;
        for (size_t from = file.length; from < file.length + 3; from++) {
            range.from = (int64_t)from;
            (void)read_range(a, &range, &e);
            CHECK(e.kind == ERR_DAMAGED);
        }
        unlink(path);
    }
}

/* Some bytes say nothing about the text (a gzip header's time); any other is missed. */
TEST(a_changed_byte_is_seen)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(packed); i++) {
        size_t starts[4], harmless = 0;
        struct str file = small_file(a, packed[i], starts);
        const char *path = path_of(a, member_suffix(packed[i]));
        for (size_t at = 0; at < file.length * 9; at++) {
            struct err e;
            char before = file.text[at / 9];
            /* Each bit, and all of them. */
            file.text[at / 9] = (char)(before ^ (at % 9 == 8 ? 0xFF : 1 << at % 9));
            CHECK(write_bytes(path, file.text, file.length));
            struct str got = read_all(a, path, &e);
            harmless += e.kind == ERR_NONE;
            CHECK(e.kind == ERR_DAMAGED || same(&got, small_text, strlen(small_text)));
            CHECK(e.kind == ERR_NONE || e.kind == ERR_DAMAGED);
            file.text[at / 9] = before;
        }
        CHECK(harmless < file.length * 9 / 2);
        unlink(path);
    }
}

TEST(what_is_no_member_is_damage)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const junk[] = {"\n",       "x",        "1\tone\n",        "\x1f",
                                       "\x1f\x8b", "\x28\xb5", "\x28\xb5\x2f\xfd"};
    for (size_t i = 0; i < ARRAY_LEN(packed); i++) {
        struct err e;
        size_t starts[4];
        struct str file = small_file(a, packed[i], starts);
        const char *path = path_of(a, member_suffix(packed[i]));
        for (size_t k = 0; k < ARRAY_LEN(junk); k++) {
            struct str with = str_on(a);
            str_add_n(&with, file.text, starts[1]);
            str_add(&with, junk[k]);
            CHECK(write_bytes(path, with.text, with.length));
            (void)read_all(a, path, &e);
            CHECK(e.kind == ERR_DAMAGED && str_starts(e.message, "the file is "));
            str_add_n(&with, file.text + starts[1], file.length - starts[1]);
            CHECK(write_bytes(path, with.text, with.length));
            (void)read_all(a, path, &e);
            CHECK(e.kind == ERR_DAMAGED);
            CHECK(write_bytes(path, junk[k], strlen(junk[k])));
            (void)read_all(a, path, &e);
            CHECK(e.kind == ERR_DAMAGED);
        }
        CHECK(write_bytes(path, "", 0));
        (void)read_all(a, path, &e);
        CHECK(e.kind == ERR_DAMAGED);
        CHECK_STR(e.message, "the file is empty");
        unlink(path);
        (void)read_all(a, path, &e);
        CHECK(e.kind == ERR_NOT_FOUND);
        CHECK_STR(e.message, "could not open the file: No such file or directory");
    }
}

/* Frames without text, and those of libzstd's youth, are legal zstd but not what is written here.
 */
TEST(other_frames_are_damage)
{
    static const char frames[][9] = {{'\x50', '\x2a', '\x4d', '\x18', 1, 0, 0, 0, 'x'},
                                     {'\x27', '\xb5', '\x2f', '\xfd', 0, 0, 0, 0, 0}};
    AUTO(arena) struct arena *a = arena_new();
    const char *path = path_of(a, ".zst");
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        struct err e;
        CHECK(write_bytes(path, frames[i], sizeof(frames[i])));
        (void)read_all(a, path, &e);
        CHECK(e.kind == ERR_DAMAGED);
        CHECK_STR(e.message, "the file is damaged: no zstd frame at byte 0");
    }
    unlink(path);
}

/* What libzstd gives out after it has taken all input, and a frame without a checksum, as pg_dump
 * writes it. */
TEST(text_that_finds_no_room_at_once_is_not_lost)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    enum { ALL = 9 * (128 << 10) }; /* whole blocks of zstd, more than a reader's room */
    char *text = arena_alloc(a, ALL);
    const char *path = path_of(a, ".zst");
    struct str file = str_on(a);
    AUTO(packer) struct packer *p = packer_open(MEMBER_ZSTD, 1, &e);
    memset(text, 'x', ALL);
    CHECK(p != NULL && add_piece(p, &file, text, ALL));
    file.text[4] = (char)(file.text[4] & ~4); /* no checksum */
    CHECK(file.length > 8 && write_bytes(path, file.text, file.length - 4));
    struct str got = read_all(a, path, &e);
    CHECK(e.kind == ERR_NONE && same(&got, text, ALL));
    unlink(path);
}
