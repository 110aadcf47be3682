#include "core/backup/toc.h"

#include "base/fs.h"

#include <errno.h>

enum {
    TOC_MAX_BYTES = 512 << 20,
    OLDEST_MINOR = 14,
    NEWEST_MINOR = 16,
    INT_SIZE = 4,
    OFFSET_SIZE = 8,
    FORMAT_DIRECTORY = 3, /* the directory format writes the code of tar */
    LEAST_ENTRY = 60,     /* bytes; no entry has fewer */
};

/* Reads from left to right; the first thing that does not fit makes it bad, and everything after
 * that reads as nothing. */
struct reader {
    struct arena *arena;
    const unsigned char *at, *end;
    int minor;
    bool bad;
};

static const unsigned char *take(struct reader *r, size_t n)
{
    const unsigned char *at = r->at;
    if (r->bad || (size_t)(r->end - r->at) < n) {
        r->bad = true;
        return NULL;
    }
    r->at += n;
    return at;
}

static int take_byte(struct reader *r)
{
    const unsigned char *p = take(r, 1);
    return p == NULL ? 0 : *p;
}

/* A sign, then the magnitude, lowest byte first. */
static int64_t take_int(struct reader *r)
{
    int64_t value = 0;
    bool negative = take_byte(r) != 0;
    const unsigned char *p = take(r, INT_SIZE);
    for (int i = INT_SIZE - 1; p != NULL && i >= 0; i--)
        value = value * 256 + p[i];
    return negative ? -value : value;
}

static const char *take_text(struct reader *r)
{
    int64_t n = take_int(r);
    if (n < 0)
        return NULL;
    const unsigned char *p = take(r, (size_t)n);
    return p == NULL ? NULL : arena_strndup(r->arena, (const char *)p, (size_t)n);
}

static bool read_version(struct reader *r, bool any_format, struct err *e)
{
    const unsigned char *magic = take(r, 5);
    if (magic == NULL || memcmp(magic, "PGDMP", 5) != 0)
        return err_set(e, ERR_DAMAGED, "not an archive of pg_dump");
    int major = take_byte(r);
    r->minor = take_byte(r);
    (void)take_byte(r);
    if (major != 1 || r->minor < OLDEST_MINOR || r->minor > NEWEST_MINOR)
        return err_set(e, ERR_DAMAGED, "archive format %d.%d is not one of 1.%d to 1.%d", major,
                       r->minor, OLDEST_MINOR, NEWEST_MINOR);
    static const unsigned char ours[] = {INT_SIZE, OFFSET_SIZE, FORMAT_DIRECTORY};
    const unsigned char *theirs = take(r, sizeof(ours));
    if (theirs == NULL || memcmp(theirs, ours, sizeof(ours) - (any_format ? 1 : 0)) != 0)
        return err_set(e, ERR_DAMAGED, "not a directory archive of this kind of machine");
    return true;
}

static void read_entry(struct reader *r, struct toc_entry *entry)
{
    entry->dump_id = take_int(r);
    (void)take_int(r); /* has a data file: the file name says it too */
    (void)take_text(r);
    entry->oid = take_text(r);
    entry->tag = take_text(r);
    entry->type = take_text(r);
    entry->section = (enum toc_section)take_int(r);
    entry->definition = take_text(r);
    (void)take_text(r); /* DROP */
    entry->copy = take_text(r);
    entry->schema = take_text(r);
    (void)take_text(r); /* tablespace */
    (void)take_text(r); /* access method */
    if (r->minor >= 16)
        (void)take_int(r); /* relkind */
    entry->owner = take_text(r);
    (void)take_text(r); /* WITH OIDS */
    for (const char *id = take_text(r); !r->bad && id != NULL; id = take_text(r))
        entry->depends = entry->depends == 0 ? strtoll(id, NULL, 10) : entry->depends;
    entry->file = take_text(r);
}

static bool read_head(struct reader *r, bool any_format, struct toc *toc, struct err *e)
{
    if (!read_version(r, any_format, e))
        return false;
    if (r->minor >= 15)
        (void)take_byte(r); /* compression */
    else
        (void)take_int(r);
    for (int i = 0; i < 7; i++)
        (void)take_int(r); /* when it was made */
    (void)take_text(r);    /* the database */
    toc->server_version = take_text(r);
    toc->tool_version = take_text(r);
    return !r->bad || err_set(e, ERR_DAMAGED, "the head of the archive is torn");
}

static struct reader reader_on(struct arena *a, const char *bytes, size_t n)
{
    const unsigned char *start = (const unsigned char *)bytes;
    return (struct reader){.arena = a, .at = start, .end = start + n};
}

bool toc_head(struct arena *a, const char *bytes, size_t n, struct toc *toc, struct err *e)
{
    struct reader r = reader_on(a, bytes, n);
    *toc = (struct toc){0};
    return read_head(&r, true, toc, e);
}

bool toc_parse(struct arena *a, const char *bytes, size_t n, struct toc *toc, struct err *e)
{
    struct reader r = reader_on(a, bytes, n);
    *toc = (struct toc){0};
    if (!read_head(&r, false, toc, e))
        return false;
    int64_t count = take_int(&r);
    if (r.bad || count < 0 || count > (r.end - r.at) / LEAST_ENTRY)
        return err_set(e, ERR_DAMAGED, "the head of the archive is torn");
    toc->entries = arena_array(a, (size_t)count + 1, sizeof(*toc->entries));
    for (; toc->count < (size_t)count; toc->count++) {
        struct toc_entry *entry = &toc->entries[toc->count];
        read_entry(&r, entry);
        if (r.bad || entry->dump_id <= 0 || entry->type == NULL || entry->tag == NULL ||
            entry->oid == NULL || entry->section < TOC_NONE || entry->section > TOC_POST_DATA)
            return err_set(e, ERR_DAMAGED, "entry %zu of the archive is torn", toc->count + 1);
    }
    return r.at == r.end || err_set(e, ERR_DAMAGED, "something follows the end of the archive");
}

bool toc_read(struct arena *a, const char *folder, struct toc *toc, struct err *e)
{
    const char *path = fs_join(a, folder, "toc.dat");
    char *bytes;
    size_t n;
    return fs_read(a, path, TOC_MAX_BYTES, &bytes, &n, e) &&
           (toc_parse(a, bytes, n, toc, e) || err_wrap(e, "could not read \"%s\"", path));
}

bool toc_sequence(const struct toc_entry *entry, int64_t *last_value, bool *is_called,
                  struct err *e)
{
    /* From the end: the name may hold anything. */
    const char *text = entry->definition == NULL ? "" : entry->definition;
    const char *comma = NULL, *before = NULL;
    for (const char *p = strchr(text, ','); p != NULL; p = strchr(p + 1, ',')) {
        before = comma;
        comma = p;
    }
    bool called = comma != NULL && str_starts(comma, ", true)");
    char *end = NULL;
    errno = 0;
    if (before != NULL)
        *last_value = strtoll(before + 1, &end, 10);
    if (end == NULL || end != comma || end == before + 1 || errno != 0 ||
        (!called && !str_starts(comma, ", false)")))
        return err_set(e, ERR_DAMAGED, "state of sequence \"%s\" cannot be read: %s", entry->tag,
                       text);
    *is_called = called;
    return true;
}
