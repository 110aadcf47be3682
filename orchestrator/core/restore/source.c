#include "core/restore/source.h"

static bool fill(struct arena *a, const void *context, const char *target, struct err *e)
{
    struct restore_spec spec = *(const struct restore_spec *)context;
    spec.target = target;
    return restore_full(a, &spec, e);
}

struct source source_of_backup(const struct restore_spec *spec)
{
    return (struct source){.like = &spec->backup->manifest.database,
                           .before = &spec->backup->manifest,
                           .context = spec,
                           .fill = fill};
}
