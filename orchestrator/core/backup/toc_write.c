#include "core/backup/toc.h"

#include "base/fs.h"
#include "core/backup/toc_layout.h"

static void put_byte(struct str *s, int64_t value)
{
    str_add_n(s, &(char){(char)value}, 1);
}

static void put_int(struct str *s, int64_t value)
{
    uint64_t magnitude = (uint64_t)(value < 0 ? -value : value);
    put_byte(s, value < 0);
    for (int i = 0; i < TOC_INT_BYTES; i++)
        put_byte(s, (int64_t)(magnitude >> (8 * i) & 0xFF));
}

static void put_text(struct str *s, const char *text)
{
    put_int(s, text == NULL ? -1 : (int64_t)strlen(text));
    if (text != NULL)
        str_add(s, text);
}

static void put_head(struct str *s, const struct toc *toc)
{
    str_add(s, TOC_MAGIC);
    const int bytes[] = {
        1, toc->minor, toc->revision, TOC_INT_BYTES, TOC_OFFSET_BYTES, TOC_FORMAT_DIRECTORY};
    for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
        put_byte(s, bytes[i]);
    if (toc->minor >= TOC_WITH_ALGORITHM)
        put_byte(s, toc->compression);
    else
        put_int(s, toc->compression);
    for (size_t i = 0; i < ARRAY_LEN(toc->made_at); i++)
        put_int(s, toc->made_at[i]);
    put_text(s, toc->database);
    put_text(s, toc->server_version);
    put_text(s, toc->tool_version);
    put_int(s, (int64_t)toc->count);
}

static void put_entry(struct str *s, int minor, const struct toc_entry *entry)
{
    put_int(s, entry->dump_id);
    put_int(s, entry->has_data);
    put_text(s, entry->table_oid == NULL ? "0" : entry->table_oid);
    put_text(s, entry->oid == NULL ? "0" : entry->oid);
    put_text(s, entry->tag);
    put_text(s, entry->type);
    put_int(s, entry->section);
    put_text(s, entry->definition);
    put_text(s, entry->drop);
    put_text(s, entry->copy);
    put_text(s, entry->schema);
    put_text(s, entry->tablespace);
    put_text(s, entry->access_method);
    if (minor >= TOC_WITH_RELKIND)
        put_int(s, entry->relkind);
    put_text(s, entry->owner);
    put_text(s, entry->with_oids == NULL ? "false" : entry->with_oids);
    for (size_t i = 0; i < entry->depend_count; i++)
        put_text(s, entry->depend_ids[i]);
    put_text(s, NULL);
    put_text(s, entry->file);
}

void toc_format(struct arena *a, const struct toc *toc, const char **bytes, size_t *n)
{
    struct str s = str_on(a);
    put_head(&s, toc);
    for (size_t i = 0; i < toc->count; i++)
        put_entry(&s, toc->minor, &toc->entries[i]);
    *bytes = s.text;
    *n = s.length;
}

bool toc_read_checked(struct arena *a, const char *folder, struct toc *toc, struct err *e)
{
    const char *path = fs_join(a, folder, TOC_FILE), *again;
    char *bytes;
    size_t n, again_n, same = 0;
    if (!fs_read(a, path, TOC_MAX_BYTES, &bytes, &n, e))
        return false;
    if (!toc_parse(a, bytes, n, toc, e))
        return err_wrap(e, "could not read \"%s\"", path);
    toc_format(a, toc, &again, &again_n);
    while (same < n && same < again_n && again[same] == bytes[same])
        same++;
    return (same == n && n == again_n) ||
           err_set(e, ERR_DAMAGED, "could not read \"%s\": byte %zu is not as pg_dump writes it",
                   path, same);
}

bool toc_write(struct arena *a, const char *folder, const struct toc *toc, struct err *e)
{
    const char *bytes;
    size_t n;
    toc_format(a, toc, &bytes, &n);
    return fs_write_atomic(a, fs_join(a, folder, TOC_FILE), bytes, n, e);
}

void toc_set_compression(struct toc *toc, enum toc_compression how, int level)
{
    if (toc->minor >= TOC_WITH_ALGORITHM)
        toc->compression = how;
    else if (how == TOC_PLAIN)
        toc->compression = 0;
    else
        toc->compression = how == TOC_GZIP ? level : -1;
}

void toc_insert(struct arena *a, struct toc *toc, const struct toc_entry *entries, size_t count)
{
    size_t before = 0;
    while (before < toc->count && toc->entries[before].section != TOC_POST_DATA)
        before++;
    struct toc_entry *all = arena_array(a, toc->count + count + 1, sizeof(*all));
    struct toc_entry *to = all;
    for (size_t i = 0; i < before; i++)
        *to++ = toc->entries[i];
    for (size_t i = 0; i < count; i++)
        *to++ = entries[i];
    for (size_t i = before; i < toc->count; i++)
        *to++ = toc->entries[i];
    toc->entries = all;
    toc->count += count;
}
