/*
 * Any bytes are a manifest or ERR_DAMAGED; what is read once is written and read again the same.
 */
#include "core/backup/manifest.h"

#include "base/fs.h"

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

/* A folder whose manifest.json is in memory only. */
static char folder[] = "/tmp/migsafe-fuzz-XXXXXX", target[64];
static int memory = -1;

static void remove_folder(void)
{
    AUTO(arena) struct arena *a = arena_new();
    unlink(fs_join(a, folder, "manifest.json"));
    rmdir(folder);
}

static void put_manifest(struct arena *a, const char *bytes, size_t n)
{
    if (memory < 0) {
        memory = memfd_create("manifest", MFD_CLOEXEC);
        snprintf(target, sizeof(target), "/proc/self/fd/%d", memory);
        HOLDS(mkdtemp(folder) != NULL);
        HOLDS(symlink(target, fs_join(a, folder, "manifest.json")) == 0);
        atexit(remove_folder);
    }
    HOLDS(ftruncate(memory, 0) == 0 && pwrite(memory, bytes, n, 0) == (ssize_t)n);
}

static const char *text_of(struct arena *a, const struct manifest *m)
{
    AUTO(json) struct json *j = manifest_json(m);
    return json_pretty(a, j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct manifest m, again;
    put_manifest(a, (const char *)data, n);
    if (!manifest_read(a, folder, &m, &e)) {
        HOLDS(e.kind == ERR_DAMAGED && str_starts(e.message, "backup manifest \""));
        return 0;
    }
    const char *text = text_of(a, &m);
    put_manifest(a, text, strlen(text));
    HOLDS(manifest_read(a, folder, &again, &e));
    HOLDS(strcmp(text, text_of(a, &again)) == 0);
    HOLDS(manifest_rows(&m) == manifest_rows(&again));
    return 0;
}
