#include "ext/igzip.h"

#include "ext/pack.h"

#include "tap.h"

#include <sys/mman.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

/* n bytes right before a page that nobody may touch, and right after another: no sanitizer sees
 * what assembler does. */
struct fence {
    char *base, *bytes;
    size_t all;
};

static struct fence fence_make(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (n + page - 1) / page * page;
    struct fence f = {.all = inner + 2 * page};
    f.base = mmap(NULL, f.all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (f.base == MAP_FAILED ||
        (inner > 0 && mprotect(f.base + page, inner, PROT_READ | PROT_WRITE) != 0))
        abort();
    f.bytes = f.base + page + inner - n;
    return f;
}

static void fence_remove(const struct fence *f)
{
    munmap(f->base, f->all);
}

/* What packers find hard: nothing repeats, everything does, long rows from far back. */
enum text { NOISE, ROWS, ONE_BYTE, FAR, TEXTS };

static void fill(char *bytes, size_t n, enum text text)
{
    enum { FAR_BACK = 32767 };
    uint64_t state = 88172645463325252U;
    for (size_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (char)(state >> 32);
        if (text == ONE_BYTE)
            bytes[i] = 'x';
        if (text == ROWS)
            bytes[i] = "0123456789\t\n"[(state >> 32) % 12];
        if (text == FAR && i >= FAR_BACK)
            bytes[i] = bytes[i - FAR_BACK];
    }
}

/* As zlib reads it: one member, all of it, and this text. */
static bool reads_as(const char *packed, size_t n, const char *text, size_t text_n)
{
    struct err e = {0};
    AUTO(gunzip) struct gunzip *g = gunzip_open(&e);
    char *got = malloc(text_n + 1);
    struct gunzip_step step = {.in = packed, .in_n = n, .out = got, .room = text_n + 1};
    bool ok = got != NULL && g != NULL && gunzip_step(g, &step, "it", &e) && step.ended &&
              step.in_n == 0 && step.out_n == text_n && memcmp(got, text, text_n) == 0;
    free(got);
    return ok;
}

static void check_one(struct igzip *g, size_t n, enum text text)
{
    struct fence in = fence_make(n), out = fence_make(igzip_bound(n));
    fill(in.bytes, n, text);
    size_t packed = igzip_pack(g, in.bytes, n, out.bytes, igzip_bound(n));
    CHECK(packed > 0 && packed <= igzip_bound(n));
    CHECK(reads_as(out.bytes, packed, in.bytes, n));
    CHECK(text != ROWS || n < 1000 || packed < n * 2 / 3);
    CHECK(text != ONE_BYTE || packed < n / 50 + 200);
    fence_remove(&in);
    fence_remove(&out);
}

static const size_t sizes[] = {0,     1,      2,       3,     7,       8,      9,     15,    16,
                               17,    31,     33,      63,    65,      257,    258,   259,   1023,
                               4095,  8191,   16385,   32767, 32768,   32769,  65534, 65535, 65536,
                               65537, 131070, MIB - 1, MIB,   MIB + 1, 3145728};

TEST(it_keeps_to_its_bounds)
{
    AUTO(igzip) struct igzip *g = igzip_open();
    for (size_t i = 0; g != NULL && i < ARRAY_LEN(sizes); i++)
        for (enum text text = NOISE; text < TEXTS; text++)
            check_one(g, sizes[i], text);
    CHECK(g != NULL);
}

/* What comes before has no influence: a reader may begin at any member. */
TEST(each_member_stands_alone)
{
    AUTO(igzip) struct igzip *g = igzip_open();
    AUTO(igzip) struct igzip *fresh = igzip_open();
    enum { BYTES = 100000 };
    static char text[BYTES], one[BYTES + 1000], two[BYTES + 1000];
    CHECK(g != NULL && fresh != NULL);
    if (g == NULL || fresh == NULL)
        return;
    fill(text, BYTES, NOISE);
    CHECK(igzip_pack(g, text, BYTES, one, sizeof(one)) > 0);
    fill(text, BYTES, ROWS);
    size_t n = igzip_pack(g, text, BYTES, one, sizeof(one));
    CHECK(n > 0 && n == igzip_pack(fresh, text, BYTES, two, sizeof(two)));
    CHECK(memcmp(one, two, n) == 0);
}

TEST(too_little_room_is_refused)
{
    AUTO(igzip) struct igzip *g = igzip_open();
    static char text[1000], out[2000];
    CHECK(g != NULL && igzip_pack(g, text, sizeof(text), out, igzip_bound(sizeof(text)) - 1) == 0);
}
