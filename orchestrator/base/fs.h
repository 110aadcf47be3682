/*
 * fs.h - files and folders.
 *
 * What must survive a crash is written aside, fsynced, renamed, and its folder
 * fsynced (fs_write_atomic).  Folders of ours are 0700, files 0600.  Paths in
 * errors are quoted; failures are ERR_SYSTEM, a missing file ERR_NOT_FOUND.
 */
#ifndef MIGSAFE_BASE_FS_H
#define MIGSAFE_BASE_FS_H

#include "base/str.h"

void fd_close(int fd); /* accepts -1 */
DEFINE_AUTO(fd, int, fd_close);
/* All of it, whatever interrupts; false: errno says why. */
MUST_CHECK bool fd_write(int fd, const char *bytes, size_t n);
/* Text as a file that a child of the same user can open by its path, 0600, and that is gone with
 * the descriptor, or with us however we end: it was never on a disk.  -1: ERR_SYSTEM. */
MUST_CHECK int fd_memory_file(struct arena *a, const char *text, const char **path, struct err *e);

bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
bool fs_is_file(const char *path);
bool fs_is_executable(const char *path); /* a regular file that we may run */

/* dir + "/" + name; name alone when it is absolute. */
char *fs_join(struct arena *a, const char *dir, const char *name) RETURNS_NONNULL;
char *fs_dirname(struct arena *a, const char *path) RETURNS_NONNULL;
const char *fs_basename(const char *path) RETURNS_NONNULL;
/* How to name `to` from the folder `from`, both absolute and without "." and "..": "../b/c", "." */
char *fs_relative(struct arena *a, const char *from, const char *to) RETURNS_NONNULL;
/* Absolute, links resolved; the path made absolute when it does not exist. */
char *fs_absolute(struct arena *a, const char *path) RETURNS_NONNULL;

/* Whole file in the arena, NUL-terminated; more than max bytes is ERR_SYSTEM. length accepts NULL.
 */
MUST_CHECK bool fs_read(struct arena *a, const char *path, size_t max, char **text, size_t *length,
                        struct err *e);
MUST_CHECK bool fs_write_atomic(struct arena *a, const char *path, const char *bytes, size_t n,
                                struct err *e);
/* As fs_write_atomic, for files that are the user's: one that is there keeps its mode and owner, a
 * new one gets mode less the umask, as do folders that are lacking above it.  Links are to be
 * resolved. */
MUST_CHECK bool fs_write_users(struct arena *a, const char *path, const char *text, unsigned mode,
                               struct err *e);
/* One line at the end of an open file, then fsync. */
MUST_CHECK bool fs_append_synced(int fd, const char *line, size_t n, const char *path,
                                 struct err *e);
MUST_CHECK bool fs_sync_dir(const char *path, struct err *e);
/* fsync every file and folder below path, path included. */
MUST_CHECK bool fs_sync_tree(struct arena *a, const char *path, struct err *e);

MUST_CHECK bool fs_mkdirs(struct arena *a, const char *path, struct err *e); /* 0700; parents too */
MUST_CHECK bool fs_rename(struct arena *a, const char *from, const char *to, struct err *e);
/* Removes a folder and all below it, or a file; what is not there is no error. */
MUST_CHECK bool fs_remove_tree(struct arena *a, const char *path, struct err *e);

enum fs_kind { FS_FILES, FS_DIRS, FS_ALL };
/* Names (without "." and ".."), sorted by bytes.  A link counts as itself, neither file nor folder.
 */
MUST_CHECK bool fs_list(struct arena *a, const char *path, enum fs_kind kind, struct strlist *names,
                        struct err *e);

MUST_CHECK bool fs_tree_bytes(struct arena *a, const char *path, int64_t *bytes, struct err *e);
/* Bytes free for us in the file system that holds path. */
MUST_CHECK bool fs_free_bytes(const char *path, int64_t *bytes, struct err *e);

#endif
