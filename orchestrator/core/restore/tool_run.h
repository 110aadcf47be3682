/*
 * tool_run.h - run pg_dump or pg_restore to its end, and tell in one line why it failed.
 */
#ifndef MIGSAFE_CORE_RESTORE_TOOL_RUN_H
#define MIGSAFE_CORE_RESTORE_TOOL_RUN_H

#include "core/connection/connection.h"

struct tool_spec {
    const struct connection *to;
    const char *pg_bin;
    int server_version;         /* the tool must be of its major version */
    const struct strlist *args; /* without the program itself; never a secret */
    const char *options;        /* of its sessions ("-c a=b"), or NULL */
};

/* ERR_CHILD: no such tool, or its first error in the message, the server's detail and hint and the
 * object it was about in the detail.  ERR_CANCELLED, ERR_SYSTEM. */
MUST_CHECK bool tool_run(struct arena *a, const char *tool, const struct tool_spec *spec,
                         struct err *e);

/* The first error that such a tool printed, taken apart; always false. */
bool tool_error(struct arena *a, const char *tool, const char *printed, struct err *e);

#endif
