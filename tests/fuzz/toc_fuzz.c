/*
 * Any bytes are an archive's contents or ERR_DAMAGED; what is read once is written and read again
 * the same.
 */
#include "core/backup/toc.h"

#include "fuzz.h"

static void look_at(struct arena *a, struct toc *toc)
{
    struct err e = {0};
    int64_t last;
    bool called;
    size_t count = toc->count;
    for (size_t i = 0; i < count; i++)
        HOLDS(toc_sequence(&toc->entries[i], &last, &called, &e) || e.kind == ERR_DAMAGED);
    struct toc_entry added = {
        .dump_id = toc_next_id(toc), .tag = "t", .type = "TABLE DATA", .section = TOC_DATA};
    for (size_t i = 0; i < count; i++)
        HOLDS(toc->entries[i].dump_id < added.dump_id);
    toc_insert(a, toc, &added, 1);
    HOLDS(toc->count == count + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct toc toc, again;
    const char *bytes, *twice;
    size_t bytes_n, twice_n;
    HOLDS(toc_head(a, (const char *)data, n, &toc, &e) || e.kind == ERR_DAMAGED);
    if (!toc_parse(a, (const char *)data, n, &toc, &e)) {
        HOLDS(e.kind == ERR_DAMAGED && e.message[0] != '\0');
        return 0;
    }
    toc_format(a, &toc, &bytes, &bytes_n);
    HOLDS(toc_parse(a, bytes, bytes_n, &again, &e));
    toc_format(a, &again, &twice, &twice_n);
    HOLDS(bytes_n == twice_n && memcmp(bytes, twice, bytes_n) == 0);
    look_at(a, &again);
    return 0;
}
