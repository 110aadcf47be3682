#include "core/backup/toc.h"

#include "base/fs.h"
#include "core/backup/toc_layout.h"

#include <errno.h>

enum { LEAST_ENTRY = 60 }; /* bytes; no entry has fewer */

/* Reads from left to right; the first thing that does not fit makes it bad, and everything after
 * that reads as nothing. */
struct reader {
    struct arena *arena;
    const unsigned char *at, *end;
    int minor, revision;
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
    const unsigned char *p = take(r, TOC_INT_BYTES);
    for (int i = TOC_INT_BYTES - 1; p != NULL && i >= 0; i--)
        value = value * 256 + p[i];
    return negative ? -value : value;
}

static const char *take_text(struct reader *r)
{
    int64_t n = take_int(r);
    if (n < 0)
        return NULL;
    const unsigned char *p = take(r, (size_t)n);
    if (p == NULL)
        return NULL;
    r->bad = memchr(p, '\0', (size_t)n) != NULL;
    return arena_strndup(r->arena, (const char *)p, (size_t)n);
}

static bool read_version(struct reader *r, bool any_format, struct err *e)
{
    const unsigned char *start = take(r, strlen(TOC_MAGIC));
    if (start == NULL || memcmp(start, TOC_MAGIC, strlen(TOC_MAGIC)) != 0)
        return err_set(e, ERR_DAMAGED, "not an archive of pg_dump");
    int major = take_byte(r);
    r->minor = take_byte(r);
    r->revision = take_byte(r);
    if (major != 1 || r->minor < TOC_OLDEST_MINOR || r->minor > TOC_NEWEST_MINOR)
        return err_set(e, ERR_DAMAGED, "archive format %d.%d is not one of 1.%d to 1.%d", major,
                       r->minor, TOC_OLDEST_MINOR, TOC_NEWEST_MINOR);
    static const unsigned char ours[] = {TOC_INT_BYTES, TOC_OFFSET_BYTES, TOC_FORMAT_DIRECTORY};
    const unsigned char *theirs = take(r, sizeof(ours));
    if (theirs == NULL || memcmp(theirs, ours, sizeof(ours) - (any_format ? 1 : 0)) != 0)
        return err_set(e, ERR_DAMAGED, "not a directory archive of this kind of machine");
    return true;
}

/* An id as it is depended on: 0 when it is none. */
static int64_t id_of(const char *text)
{
    char *end;
    errno = 0;
    int64_t id = strtoll(text, &end, 10);
    return *text < '0' || *text > '9' || *end != '\0' || errno != 0 || id > INT32_MAX ? 0 : id;
}

static void read_depend_ids(struct reader *r, struct toc_entry *entry)
{
    struct strlist ids = strlist_on(r->arena);
    for (const char *id = take_text(r); !r->bad && id != NULL; id = take_text(r)) {
        r->bad = id_of(id) == 0;
        strlist_add(&ids, id);
    }
    entry->depend_ids = ids.items;
    entry->depend_count = ids.count;
    entry->depends = ids.count == 0 ? 0 : id_of(ids.items[0]);
}

static void read_entry(struct reader *r, struct toc_entry *entry)
{
    entry->dump_id = take_int(r);
    entry->has_data = take_int(r) != 0;
    entry->table_oid = take_text(r);
    entry->oid = take_text(r);
    entry->tag = take_text(r);
    entry->type = take_text(r);
    int64_t section = take_int(r);
    entry->definition = take_text(r);
    entry->drop = take_text(r);
    entry->copy = take_text(r);
    entry->schema = take_text(r);
    entry->tablespace = take_text(r);
    entry->access_method = take_text(r);
    if (r->minor >= TOC_WITH_RELKIND)
        entry->relkind = take_int(r);
    entry->owner = take_text(r);
    entry->with_oids = take_text(r);
    read_depend_ids(r, entry);
    entry->file = take_text(r);
    if (entry->dump_id <= 0 || entry->dump_id > INT32_MAX || entry->type == NULL ||
        entry->tag == NULL || entry->oid == NULL || section < TOC_NONE || section > TOC_POST_DATA)
        r->bad = true;
    else
        entry->section = (enum toc_section)section;
}

static bool read_head(struct reader *r, bool any_format, struct toc *toc, struct err *e)
{
    if (!read_version(r, any_format, e))
        return false;
    toc->minor = r->minor;
    toc->revision = r->revision;
    toc->compression = r->minor >= TOC_WITH_ALGORITHM ? take_byte(r) : take_int(r);
    for (size_t i = 0; i < ARRAY_LEN(toc->made_at); i++)
        toc->made_at[i] = take_int(r);
    toc->database = take_text(r);
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
        read_entry(&r, &toc->entries[toc->count]);
        if (r.bad)
            return err_set(e, ERR_DAMAGED, "entry %zu of the archive is torn", toc->count + 1);
    }
    return r.at == r.end || err_set(e, ERR_DAMAGED, "something follows the end of the archive");
}

bool toc_read(struct arena *a, const char *folder, struct toc *toc, struct err *e)
{
    const char *path = fs_join(a, folder, TOC_FILE);
    char *bytes;
    size_t n;
    return fs_read(a, path, TOC_MAX_BYTES, &bytes, &n, e) &&
           (toc_parse(a, bytes, n, toc, e) || err_wrap(e, "could not read \"%s\"", path));
}

bool toc_old_strings(const struct toc *toc)
{
    for (size_t i = 0; i < toc->count; i++)
        if (strcmp(toc->entries[i].type, "STDSTRINGS") == 0 && toc->entries[i].definition != NULL)
            return strstr(toc->entries[i].definition, "'off'") != NULL;
    return false;
}

int64_t toc_next_id(const struct toc *toc)
{
    int64_t last = 0;
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        last = entry->dump_id > last ? entry->dump_id : last;
        for (size_t k = 0; k < entry->depend_count; k++) {
            int64_t id = id_of(entry->depend_ids[k]);
            last = id > last ? id : last;
        }
    }
    return last + 1;
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
