#include "core/restore/foreign.h"

#include "base/fs.h"
#include "base/stop.h"
#include "core/backup/toc.h"
#include "core/restore/foreign_scan.h"
#include "ext/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 256 * 1024,
    HEAD_BYTES = 4096,
    TAR_BLOCK = 512,
    TAR_MAGIC_AT = 257,
    TOC_FORMAT_AT = 10, /* of an archive's head: */
    TOC_OF_FOLDER = 3,
};

static bool starts(const char *head, size_t n, const char *magic, size_t length)
{
    return n >= length && memcmp(head, magic, length) == 0;
}

/* --- copies in scratch --------------------------------------------------------------------------
 */

static bool copy_from(int from, int to, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    char *piece = arena_alloc(a, PIECE_BYTES);
    for (;;) {
        struct pollfd fds[2] = {{.fd = from, .events = POLLIN},
                                {.fd = stop_fd(), .events = POLLIN}};
        poll(fds, 2, -1);
        if (!stop_check(e))
            return false;
        ssize_t n = fds[0].revents == 0 ? -1 : read(from, piece, PIECE_BYTES);
        if (n == 0)
            return true;
        if (n < 0 && fds[0].revents != 0 && errno != EINTR && errno != EAGAIN)
            return err_sys(e, ERR_SYSTEM, "could not read it");
        if (n > 0 && !fd_write(to, piece, (size_t)n))
            return err_sys(e, ERR_SYSTEM, "could not keep it in the state folder");
    }
}

/* What cannot be read twice is kept. */
static bool spool(struct arena *a, const char *file, const char *scratch, struct foreign *f,
                  struct err *e)
{
    bool is_stdin = strcmp(file, "-") == 0;
    AUTO(fd)
    int from =
        is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(file, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return err_sys(e, ERR_SYSTEM, "could not open %s", f->given);
    if (!scratch_file(a, scratch, "restore", &f->spooled, e))
        return false;
    f->path = f->spooled.path;
    return copy_from(from, f->spooled.fd, e) || err_wrap(e, "%s", f->given);
}

static bool unpack(struct arena *a, const char *scratch, struct foreign *f, struct err *e)
{
    AUTO(arena) struct arena *mine = arena_new();
    char *piece = arena_alloc(mine, PIECE_BYTES);
    AUTO(unpack) struct unpack *from = unpack_open(mine, f->path, f->given, e);
    if (from == NULL || !scratch_file(a, scratch, "restore", &f->unpacked, e))
        return false;
    f->path = f->unpacked.path;
    for (size_t n = 1; n > 0;) {
        if (!stop_check(e) || !unpack_read(from, piece, PIECE_BYTES, &n, e))
            return false;
        if (!fd_write(f->unpacked.fd, piece, n))
            return err_sys(e, ERR_SYSTEM, "could not unpack %s to \"%s\"", f->given, f->path);
    }
    return true;
}

void foreign_close(const struct foreign *f)
{
    scratch_remove(&f->spooled);
    scratch_remove(&f->unpacked);
}

/* --- what it is ---------------------------------------------------------------------------------
 */

/* Made by something that we do not read. */
static bool is_readable(const struct foreign *f, const char *head, size_t n, struct err *e)
{
    static const struct {
        const char *magic, *what, *command;
    } packed[] = {
        {"\x28\xB5\x2F\xFD", "zstd", "zstd -dc"},
        {"\xFD"
         "7zXZ",
         "xz", "xz -dc"},
        {"BZh", "bzip2", "bzip2 -dc"},
        {"PK\x03\x04", "zip", "unzip -p"},
        {"\x04\x22\x4D\x18", "lz4", "lz4 -dc"},
    };
    if (n == 0)
        return err_set(e, ERR_DAMAGED, "%s is empty", f->given);
    for (size_t i = 0; i < ARRAY_LEN(packed); i++)
        if (starts(head, n, packed[i].magic, strlen(packed[i].magic))) {
            err_set(e, ERR_DAMAGED, "%s is packed by %s", f->given, packed[i].what);
            err_hint(e, "Unpack it on the way: %s FILE | migsafe restore -", packed[i].command);
            return false;
        }
    if (starts(head, n, "\xFF\xFE", 2) || starts(head, n, "\xFE\xFF", 2)) {
        err_set(e, ERR_DAMAGED, "%s is text in UTF-16", f->given);
        err_hint(e, "PowerShell's > writes so: make the dump with pg_dump --file.");
        return false;
    }
    return true;
}

static void read_made_by(struct arena *a, struct foreign *f, const char *head, size_t n)
{
    struct toc toc;
    struct err ignored = {0};
    if (toc_head(a, head, n, &toc, &ignored) && toc.server_version != NULL &&
        toc.tool_version != NULL)
        f->made_by =
            arena_printf(a, "PostgreSQL %.*s, pg_dump %.*s", (int)strcspn(toc.server_version, " "),
                         toc.server_version, (int)strcspn(toc.tool_version, " "), toc.tool_version);
}

bool foreign_has_tables(const struct foreign *f, struct err *e)
{
    if (!f->only_data)
        return true;
    err_set(e, ERR_DAMAGED, "%s holds only data, no tables for it", f->given);
    err_hint(e,
             "To get it into tables as they are now: migsafe import FILE --schema-from live, then"
             " migsafe restore the data backup that it makes.");
    return false;
}

static bool open_folder(struct arena *a, struct foreign *f, struct err *e)
{
    struct toc toc;
    f->kind = FOREIGN_DIRECTORY;
    f->names_owner = true;
    const char *path = fs_join(a, f->path, "toc.dat");
    if (!fs_is_file(path))
        return err_set(e, ERR_DAMAGED, "folder \"%s\" is no archive of pg_dump: it has no toc.dat",
                       f->path);
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char head[HEAD_BYTES];
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));
    if (n < 0)
        return err_sys(e, ERR_SYSTEM, "could not read \"%s\"", path);
    if (!starts(head, (size_t)n, "PGDMP", 5))
        return err_set(e, ERR_DAMAGED, "\"%s\" is not of pg_dump", path);
    read_made_by(a, f, head, (size_t)n);
    struct err ignored = {0};
    bool tables = false;
    if (!toc_read(a, f->path, &toc, &ignored))
        return fs_tree_bytes(a, f->path, &f->bytes, e); /* pg_restore may know it all the same */
    for (size_t i = 0; i < toc.count; i++)
        tables = tables || strcmp(toc.entries[i].type, "TABLE") == 0;
    f->only_data = !tables;
    return fs_tree_bytes(a, f->path, &f->bytes, e);
}

/* Archives: whether one, and which; nothing is known of SQL after that. */
static bool open_archive(struct arena *a, struct foreign *f, const char *head, size_t n,
                         struct err *e)
{
    f->kind = FOREIGN_SQL;
    if (starts(head, n, "PGDMP", 5)) {
        if (n > TOC_FORMAT_AT && head[TOC_FORMAT_AT] == TOC_OF_FOLDER)
            return err_set(e, ERR_DAMAGED, "%s is only the contents of an archive: give its folder",
                           f->given);
        f->kind = FOREIGN_CUSTOM;
        read_made_by(a, f, head, n);
    } else if (n >= TAR_BLOCK && memcmp(head + TAR_MAGIC_AT, "ustar", 5) == 0) {
        if (strcmp(head, "toc.dat") != 0) {
            err_set(e, ERR_DAMAGED, "%s is a tar, but not of pg_dump", f->given);
            err_hint(e, "Unpack it, then give the file or folder that is in it.");
            return false;
        }
        f->kind = FOREIGN_TAR;
        read_made_by(a, f, head + TAR_BLOCK, n - TAR_BLOCK);
    }
    f->names_owner = f->kind != FOREIGN_SQL;
    return true;
}

static bool read_sql(struct arena *a, struct foreign *f, struct err *e)
{
    AUTO(arena) struct arena *mine = arena_new();
    struct foreign_scan *s = ARENA_NEW(mine, struct foreign_scan);
    char *piece = arena_alloc(mine, PIECE_BYTES);
    AUTO(unpack) struct unpack *from = unpack_open(mine, f->path, f->given, e);
    if (from == NULL)
        return false;
    foreign_scan_begin(s);
    for (size_t n = 1; n > 0;) {
        if (!stop_check(e) || !unpack_read(from, piece, PIECE_BYTES, &n, e))
            return false;
        if (!foreign_scan(s, piece, n, e))
            return err_wrap(e, "%s", f->given);
    }
    if (!foreign_scan_end(s, e))
        return err_wrap(e, "%s", f->given);
    f->only_data = s->loads && !s->creates && !s->opaque;
    f->names_owner = s->names_owner;
    if (s->tool_version[0] != '\0')
        f->made_by =
            arena_printf(a, "PostgreSQL %s, pg_dump %s", s->server_version, s->tool_version);
    return true;
}

static bool open_file(struct arena *a, const char *scratch, struct foreign *f, struct err *e)
{
    AUTO(arena) struct arena *mine = arena_new();
    char *head = arena_alloc(mine, HEAD_BYTES);
    AUTO(fd) int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    ssize_t raw = fd < 0 ? -1 : read(fd, head, HEAD_BYTES);
    if (raw < 0)
        return err_sys(e, ERR_SYSTEM, "could not read %s", f->given);
    f->packed = starts(head, (size_t)raw, "\x1F\x8B", 2);
    size_t n = (size_t)raw;
    if (f->packed) {
        AUTO(unpack) struct unpack *from = unpack_open(mine, f->path, f->given, e);
        if (from == NULL || !unpack_read(from, head, HEAD_BYTES, &n, e))
            return false;
    }
    if (!is_readable(f, head, n, e) || !fs_tree_bytes(a, f->path, &f->bytes, e) ||
        !open_archive(a, f, head, n, e))
        return false;
    if (f->kind == FOREIGN_SQL)
        return read_sql(a, f, e);
    bool unpacks = f->packed;
    f->packed = false;
    return !unpacks || unpack(a, scratch, f, e);
}

bool foreign_open(struct arena *a, const char *file, const char *scratch, struct foreign *f,
                  struct err *e)
{
    bool is_stdin = strcmp(file, "-") == 0;
    *f = (struct foreign){
        .given = is_stdin ? "standard input" : arena_printf(a, "file \"%s\"", file),
        .name = is_stdin ? "-" : arena_strdup(a, fs_basename(file)),
        .path = arena_strdup(a, file),
    };
    if (!is_stdin && !fs_exists(file)) {
        err_set(e, ERR_NOT_FOUND, "no backup or file \"%s\"", file);
        err_hint(e, "Run \"migsafe list\" to see the backups, or give the path of a dump.");
        return false;
    }
    if (!is_stdin && fs_is_dir(file))
        return open_folder(a, f, e);
    if ((is_stdin || !fs_is_file(file)) && !spool(a, file, scratch, f, e)) {
        foreign_close(f);
        return false;
    }
    if (open_file(a, scratch, f, e))
        return true;
    foreign_close(f);
    return false;
}

const char *foreign_kind_name(const struct foreign *f)
{
    static const char *const names[] = {[FOREIGN_SQL] = "plain SQL",
                                        [FOREIGN_CUSTOM] = "custom archive",
                                        [FOREIGN_TAR] = "tar archive",
                                        [FOREIGN_DIRECTORY] = "directory archive"};
    return f->packed ? "plain SQL, gzipped" : names[f->kind];
}
