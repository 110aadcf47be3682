#include "core/restore/schema_dump.h"

#include "core/restore/tool_run.h"

bool schema_dump(struct arena *a, const struct schema_dump_spec *spec, struct err *e)
{
    struct strlist args = strlist_on(a);
    const struct tool_spec tool = {
        .to = spec->from,
        .pg_bin = spec->pg_bin,
        .server_version = spec->server_version,
        .args = &args,
    };
    static const char *const fixed[] = {"--schema-only", "--no-password", "--no-sync",
                                        "--lock-wait-timeout=10000"};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        strlist_add(&args, fixed[i]);
    strlist_printf(&args, "--format=%s", spec->format);
    strlist_printf(&args, "--file=%s", spec->to);
    return tool_run(a, "pg_dump", &tool, e);
}
