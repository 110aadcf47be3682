#include "core/backup/tar.h"

#include "core/backup/store.h"

enum {
    NAME_BYTES = 100,
    SIZE_AT = 124,
    SIZE_BYTES = 12,
    SUM_AT = 148,
    SUM_BYTES = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_BYTES = 155,
    PAX_MAX = 64 * 1024,
};

/* Of the next file, from pax headers before it. */
struct pax {
    const char *path; /* NULL: not given */
    int64_t size;     /* -1: not given */
};

static bool damaged(struct err *e, const char *what)
{
    return err_set(e, ERR_DAMAGED, "the tar is damaged: %s", what);
}

/* All of it or ERR_DAMAGED. */
static bool need(struct tar *t, void *buffer, size_t n, struct err *e)
{
    for (size_t at = 0, got; at < n; at += got) {
        if (!t->read(t->context, (char *)buffer + at, n - at, &got, e))
            return false;
        if (got == 0)
            return damaged(e, "it is cut off");
    }
    return true;
}

static bool skip(struct tar *t, int64_t bytes, struct err *e)
{
    char block[TAR_BLOCK];
    for (; bytes > 0; bytes -= TAR_BLOCK)
        if (!need(t, block, bytes < TAR_BLOCK ? (size_t)bytes : TAR_BLOCK, e))
            return false;
    return true;
}

/* Octal digits, or base-256 when the highest bit is set.  -1: neither, or beyond 2^62. */
static int64_t number(const char *field, size_t bytes)
{
    uint64_t value = 0;
    if ((unsigned char)field[0] == 0x80) {
        for (size_t i = 1; i < bytes; i++) {
            if (value >> 54 != 0)
                return -1;
            value = value << 8 | (unsigned char)field[i];
        }
        return (int64_t)value;
    }
    size_t i = 0;
    while (i < bytes && field[i] == ' ')
        i++;
    for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(field[i] - '0');
    return i == bytes || field[i] == '\0' || field[i] == ' ' ? (int64_t)value : -1;
}

static bool sum_is_right(const char *block)
{
    int64_t sum = 0;
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : (unsigned char)block[i];
    return number(block + SUM_AT, SUM_BYTES) == sum;
}

static char *path_of(struct arena *a, const char *block)
{
    const char *name = arena_strndup(a, block, strnlen(block, NAME_BYTES));
    const char *prefix =
        memcmp(block + MAGIC_AT, "ustar\0", 6) == 0
            ? arena_strndup(a, block + PREFIX_AT, strnlen(block + PREFIX_AT, PREFIX_BYTES))
            : "";
    return prefix[0] == '\0' ? arena_strdup(a, name) : arena_printf(a, "%s/%s", prefix, name);
}

bool tar_check_name(struct arena *a, const char *path, const char **id, const char **name,
                    struct err *e)
{
    struct store_id parsed;
    const char *p = str_starts(path, "./") ? path + 2 : path;
    size_t n = strcspn(p, "/");
    const char *folder = arena_strndup(a, p, n), *rest = p[n] == '/' ? p + n + 1 : "";
    *name = NULL;
    if (!store_id_parse(a, folder, &parsed))
        return err_set(e, ERR_DAMAGED, "the tar holds \"%s\", which is not of a backup's folder",
                       str_printable(a, path));
    if (*id != NULL && strcmp(*id, folder) != 0)
        return err_set(e, ERR_DAMAGED, "the tar holds two backups, \"%s\" and \"%s\"", *id, folder);
    *id = folder;
    if (rest[0] == '\0')
        return true;
    if (rest[0] == '.' || strchr(rest, '/') != NULL)
        return err_set(e, ERR_DAMAGED, "the tar holds \"%s\", which no backup has",
                       str_printable(a, path));
    *name = arena_strdup(a, rest);
    return true;
}

/* "30 mtime=1350244992.023960108\n", the number counting all of it. */
static bool read_record(struct tar *t, const char **at, const char *end, struct pax *pax,
                        struct err *e)
{
    char *space;
    unsigned long length = strtoul(*at, &space, 10);
    if (*space != ' ' || length > (unsigned long)(end - *at) || *at + length <= space + 1 ||
        (*at)[length - 1] != '\n')
        return damaged(e, "a pax header is none");
    const char *text = space + 1, *stop = *at + length - 1;
    if (str_starts(text, "path="))
        pax->path = arena_strndup(t->arena, text + 5, (size_t)(stop - text) - 5);
    if (str_starts(text, "size=")) {
        char *digits_end;
        pax->size = strtoll(text + 5, &digits_end, 10);
        if (digits_end != stop || pax->size < 0 || pax->size >> 62 != 0)
            return damaged(e, "a pax header has a size that is none");
    }
    *at += length;
    return true;
}

static int64_t padded(int64_t size)
{
    return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK - size;
}

static bool read_pax(struct tar *t, int64_t size, struct pax *pax, struct err *e)
{
    if (size > PAX_MAX)
        return damaged(e, "a pax header is too long");
    AUTO(arena) struct arena *a = arena_new();
    char *text = arena_alloc(a, (size_t)size + 1);
    if (!need(t, text, (size_t)size, e) || !skip(t, padded(size), e))
        return false;
    for (const char *at = text, *end = text + size; at < end && *at != '\0';)
        if (!read_record(t, &at, end, pax, e))
            return false;
    return true;
}

static bool is_zero(const char *block)
{
    for (int i = 0; i < TAR_BLOCK; i++)
        if (block[i] != '\0')
            return false;
    return true;
}

/* A file of the backup begins here; its name is NULL when it is the folder itself. */
static bool begin_file(struct tar *t, const char *block, const struct pax *pax, int64_t size,
                       struct err *e)
{
    char type = block[TYPE_AT];
    const char *path = pax->path != NULL ? pax->path : path_of(t->arena, block);
    if (type != '0' && type != '\0' && type != '5')
        return err_set(e, ERR_DAMAGED, "the tar holds \"%s\", which is no file",
                       str_printable(t->arena, path));
    if (!tar_check_name(t->arena, path, &t->id, &t->name, e))
        return false;
    if ((t->name == NULL) != (type == '5') || (type == '5' && size != 0))
        return err_set(e, ERR_DAMAGED, "the tar holds \"%s\", which no backup has",
                       str_printable(t->arena, path));
    if (t->name == NULL)
        return true;
    if (strlist_has(&t->names, t->name))
        return err_set(e, ERR_DAMAGED, "the tar holds \"%s\" twice", path);
    strlist_add(&t->names, t->name);
    t->left = size;
    t->padding = padded(size);
    return true;
}

/* One header: of the end (*more false), of a file that begins, or of what comes before one. */
static bool read_header(struct tar *t, struct pax *pax, bool *more, struct err *e)
{
    char block[TAR_BLOCK];
    struct pax of_all; /* tells of times and the like: of no interest */
    if (!need(t, block, sizeof(block), e))
        return false;
    *more = !is_zero(block);
    if (!*more)
        return true;
    int64_t size = number(block + SIZE_AT, SIZE_BYTES);
    if (!sum_is_right(block) || size < 0)
        return damaged(e, "a header is none");
    char type = block[TYPE_AT];
    if (type == 'x' || type == 'g')
        return read_pax(t, size, type == 'x' ? pax : &of_all, e);
    if (!begin_file(t, block, pax, pax->size >= 0 ? pax->size : size, e))
        return false;
    *pax = (struct pax){.size = -1};
    return true;
}

bool tar_next(struct tar *t, bool *more, struct err *e)
{
    struct pax pax = {.size = -1};
    assert(t->left == 0);
    t->name = NULL;
    if (!skip(t, t->padding, e))
        return false;
    t->padding = 0;
    for (*more = true; *more && t->name == NULL;)
        if (!read_header(t, &pax, more, e))
            return false;
    return true;
}

bool tar_read(struct tar *t, void *buffer, size_t max, size_t *n, struct err *e)
{
    *n = t->left < (int64_t)max ? (size_t)t->left : max;
    if (!need(t, buffer, *n, e))
        return false;
    t->left -= (int64_t)*n;
    return true;
}

bool tar_is_backup(const char *head, size_t n)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err ignored = {0};
    const char *id = NULL, *name;
    if (n < TAR_BLOCK || memcmp(head + MAGIC_AT, "ustar", 5) != 0 || !sum_is_right(head))
        return false;
    /* The name of a pax header is made up of the file's. */
    char type = head[TYPE_AT];
    if (type == 'x' || type == 'g')
        return n >= TAR_BLOCK;
    return tar_check_name(a, path_of(a, head), &id, &name, &ignored);
}
