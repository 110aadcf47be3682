#include "core/backup/export_rows.h"

#include "base/fs.h"
#include "base/stop.h"
#include "core/backup/blobs.h"
#include "core/backup/insert_text.h"
#include "ext/member.h"
#include "ext/pg.h"

enum { PIECE_BYTES = 16 * 1024, END_BYTES = 6 };

bool export_text(struct pack *to, const char *text, struct err *e)
{
    return pack_write(to, text, strlen(text), e);
}

static struct member_reader *open_file(struct arena *a, const struct export_rows *rows,
                                       struct err *e)
{
    const struct member_range range = {.path = fs_join(a, rows->backup->folder, rows->file),
                                       .name = rows->label,
                                       .to = -1,
                                       .codec = member_codec_of(rows->file)};
    return member_open(&range, e);
}

/* The last bytes of the text so far. */
struct ending {
    char bytes[END_BYTES];
    size_t n;
};

static void keep_ending(struct ending *end, const char *text, size_t n)
{
    size_t fresh = n < END_BYTES ? n : END_BYTES;
    size_t old = end->n + fresh > END_BYTES ? END_BYTES - fresh : end->n;
    memmove(end->bytes, end->bytes + end->n - old, old);
    memcpy(end->bytes + old, text + n - fresh, fresh);
    end->n = old + fresh;
}

/* A line of its own, as pg_dump writes it: a value may end in the same bytes. */
static bool is_end_mark(const struct ending *end)
{
    static const char mark[] = "\n\\.\n\n\n";
    return end->n == END_BYTES
               ? memcmp(end->bytes, mark, END_BYTES) == 0
               : end->n == END_BYTES - 1 && memcmp(end->bytes, mark + 1, end->n) == 0;
}

static const char *copy_command(struct arena *a, const struct export_rows *rows)
{
    return rows->encoding == NULL ? arena_printf(a, "COPY %s FROM stdin;\n", rows->target)
                                  : arena_printf(a, "COPY %s FROM stdin WITH (ENCODING %s);\n",
                                                 rows->target, pg_literal(a, rows->encoding));
}

/* The text as it is, and the end mark where it has none. */
static bool copy(struct arena *a, const struct export_rows *rows, struct pack *to, struct err *e)
{
    struct ending end = {.n = 0};
    const char *text;
    AUTO(member) struct member_reader *r = rows->file == NULL ? NULL : open_file(a, rows, e);
    if ((rows->file != NULL && r == NULL) || !export_text(to, copy_command(a, rows), e))
        return false;
    for (size_t n = r != NULL; n > 0;) {
        if (!stop_check(e) || !member_read(r, &text, &n, e) || !pack_write(to, text, n, e))
            return false;
        keep_ending(&end, text, n);
    }
    return is_end_mark(&end) || export_text(to, "\\.\n\n\n", e);
}

static bool insert(struct arena *a, const struct export_rows *rows, struct pack *to, struct err *e)
{
    AUTO(arena) struct arena *mine = arena_new();
    struct insert_text *t = ARENA_NEW(mine, struct insert_text);
    const char *how = rows->overriding ? " OVERRIDING SYSTEM VALUE" : "";
    const char *text;
    if (rows->file == NULL)
        return true;
    insert_text_begin(t, to, arena_printf(mine, "INSERT INTO %s%s VALUES (", rows->target, how),
                      rows->no_columns
                          ? arena_printf(mine, "INSERT INTO %s DEFAULT VALUES;\n", rows->target)
                          : NULL);
    AUTO(member) struct member_reader *r = open_file(a, rows, e);
    if (r == NULL)
        return false;
    for (size_t n = 1; n > 0;) {
        if (!stop_check(e) || !member_read(r, &text, &n, e))
            return false;
        if (!insert_text_add(t, text, n, e))
            return err_wrap(e, "%s", rows->label);
    }
    if (!insert_text_end(t, e))
        return err_wrap(e, "%s", rows->label);
    return t->rows == 0 || export_text(to, "\n\n", e);
}

bool export_rows(struct arena *a, const struct export_rows *rows, struct pack *to, struct err *e)
{
    return rows->inserts ? insert(a, rows, to, e) : copy(a, rows, to, e);
}

/* Not by lo_open, which needs a transaction of its own: the script is then loaded all or nothing by
 * psql --single-transaction too. */
static bool put_piece(const struct blob *blob, int64_t at, const char *piece, size_t n,
                      struct pack *to, struct err *e)
{
    static const char digits[] = "0123456789abcdef";
    AUTO(arena) struct arena *a = arena_new();
    char *hex = arena_alloc(a, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)piece[i];
        hex[2 * i] = digits[c >> 4];
        hex[2 * i + 1] = digits[c & 15];
    }
    return export_text(to,
                       arena_printf(a, "SELECT pg_catalog.lo_put('%s', %lld, pg_catalog.decode('",
                                    blob->oid, (long long)at),
                       e) &&
           pack_write(to, hex, 2 * n, e) && export_text(to, "', 'hex'));\n", e);
}

static bool put_one(struct arena *a, const struct stored *backup, const struct blob *blob,
                    struct pack *to, struct err *e)
{
    AUTO(blob_reader) struct blob_reader *r = blob_open(a, backup, blob, e);
    char piece[PIECE_BYTES];
    int64_t at = 0;
    if (r == NULL)
        return false;
    for (size_t n = 1; n > 0; at += (int64_t)n) {
        if (!stop_check(e) || !blob_read(r, piece, sizeof(piece), &n, e))
            return false;
        if (n > 0 && !put_piece(blob, at, piece, n, to, e))
            return false;
    }
    return true;
}

bool export_large_objects(struct arena *a, const struct stored *backup, bool create,
                          struct pack *to, struct err *e)
{
    struct blob *blobs;
    size_t count;
    if (!blobs_list(a, backup, &blobs, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        AUTO(arena) struct arena *mine = arena_new();
        if (create &&
            !export_text(
                to, arena_printf(mine, "SELECT pg_catalog.lo_create('%s');\n", blobs[i].oid), e))
            return false;
        if (!put_one(mine, backup, &blobs[i], to, e))
            return false;
    }
    return count == 0 || export_text(to, "\n\n", e);
}
