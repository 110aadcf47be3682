#include "base/fs.h"
#include "core/init/init.h"

#include <unistd.h>

static bool write_file(struct arena *a, const struct init_file *file, struct err *e)
{
    /* A second name first, so that there is no moment without the file; a copy where a file can
     * have one name only. */
    if (file->keep != NULL && link(file->path, file->keep) < 0 &&
        !fs_write_users(a, file->keep, file->before, file->mode, e))
        return false;
    return fs_write_users(a, file->path, file->text, file->mode, e);
}

/* Folders that were made stay; they are empty. */
static void take_back(struct arena *a, const struct init_file *file)
{
    struct err ignored = {0};
    if (file->before == NULL)
        unlink(file->path);
    else if (file->keep == NULL)
        (void)!fs_write_users(a, file->path, file->before, file->mode, &ignored);
    else if (fs_exists(file->keep))
        (void)!fs_rename(a, file->keep, file->path, &ignored);
}

bool init_write(struct arena *a, const struct init_plan *plan, struct err *e)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->files[i].text == NULL || write_file(a, &plan->files[i], e))
            continue;
        for (size_t j = i + 1; j > 0; j--)
            if (plan->files[j - 1].text != NULL)
                take_back(a, &plan->files[j - 1]);
        return err_wrap(e, "nothing was changed");
    }
    return true;
}
