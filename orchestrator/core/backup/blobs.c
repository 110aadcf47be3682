#include "core/backup/blobs.h"

#include "base/fs.h"
#include "ext/member.h"

enum { LIST_MAX_BYTES = 256 << 20 };

struct found {
    struct arena *arena;
    const struct manifest *m;
    struct blob *items;
    size_t count, size;
};

static bool add_line(struct found *f, const char *line, const char *list, struct err *e)
{
    const char *oid = arena_strndup(f->arena, line, strspn(line, "0123456789"));
    size_t at = strlen(oid);
    const char *name = line[at] == ' ' ? line + at + 1 : "";
    const char *file = name[0] == '\0' ? NULL : store_packed_name(f->arena, f->m, name);
    if (at == 0 || file == NULL)
        return err_set(e, ERR_DAMAGED, "file \"%s\" lists what is no large object: \"%s\"", list,
                       line);
    if (f->count == f->size) {
        size_t size = f->size == 0 ? 64 : f->size * 2;
        struct blob *more = arena_array(f->arena, size, sizeof(*more));
        if (f->count > 0)
            memcpy(more, f->items, f->count * sizeof(*more));
        f->items = more;
        f->size = size;
    }
    f->items[f->count++] = (struct blob){oid, file};
    return true;
}

static bool read_list(struct found *f, const char *folder, const char *list, struct err *e)
{
    char *text;
    if (!fs_read(f->arena, fs_join(f->arena, folder, list), LIST_MAX_BYTES, &text, NULL, e))
        return false;
    for (char *line = text; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        bool last = line[n] == '\0';
        line[n] = '\0';
        if (n > 0 && !add_line(f, line, list, e))
            return false;
        line += last ? n : n + 1;
    }
    return true;
}

bool blobs_list(struct arena *a, const struct stored *s, struct blob **items, size_t *count,
                struct err *e)
{
    const struct manifest sorted = store_sorted(a, &s->manifest);
    struct found f = {.arena = a, .m = &sorted};
    for (size_t i = 0; i < sorted.file_count; i++)
        if (str_starts(sorted.files[i].name, "blobs") && str_ends(sorted.files[i].name, ".toc") &&
            !read_list(&f, s->folder, sorted.files[i].name, e))
            return err_wrap(e, "backup \"%s\"", s->id);
    *items = f.items;
    *count = f.count;
    return true;
}

struct blob_reader {
    struct member_reader *from;
    const char *text;
    size_t n;
};

void blob_close(struct blob_reader *r)
{
    if (r != NULL)
        member_close(r->from);
}

struct blob_reader *blob_open(struct arena *a, const struct stored *s, const struct blob *blob,
                              struct err *e)
{
    struct blob_reader *r = ARENA_NEW(a, struct blob_reader);
    const struct member_range range = {.path = fs_join(a, s->folder, blob->file),
                                       .name = store_file_label(a, blob->file, NULL),
                                       .to = -1,
                                       .may_be_empty = true,
                                       .codec = member_codec_of(blob->file)};
    r->from = member_open(&range, e);
    return r->from == NULL ? NULL : r;
}

bool blob_read(struct blob_reader *r, char *bytes, size_t max, size_t *n, struct err *e)
{
    if (r->n == 0 && !member_read(r->from, &r->text, &r->n, e))
        return false;
    *n = r->n < max ? r->n : max;
    if (*n > 0)
        memcpy(bytes, r->text, *n);
    r->text += *n;
    r->n -= *n;
    return true;
}
