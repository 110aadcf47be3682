/*
 * doctor.h - the checks of `migsafe doctor`.
 *
 * A check is a function in the array of cmd_doctor.c; it tells what it found by
 * doctor_ok, doctor_warning and doctor_error, as often as it likes, and changes
 * nothing.  Checks run in order; what an earlier one found out (the site, a
 * session, the server's version) is in the struct, and is empty when that one
 * failed: a check that needs it then says nothing.
 */
#ifndef MIGSAFE_CMD_DOCTOR_H
#define MIGSAFE_CMD_DOCTOR_H

#include "cmd/cmd.h"

struct doctor {
    struct arena *arena;
    const struct settings *settings;
    struct site site;              /* site.url NULL: could not be read */
    struct pg *live, *maintenance; /* NULL: no session */
    int server_version;            /* 0: unknown */
    int64_t database_bytes;        /* -1: unknown */

    FILE *out;           /* lines as they come; NULL with --json */
    struct json *checks; /* the same as a document */
    int errors, warnings;
    struct err first; /* error: its kind is the exit status */
};

typedef void doctor_check(struct doctor *d);

/* name: one word for the thing checked ("url", "server"). */
void doctor_ok(struct doctor *d, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
void doctor_warning(struct doctor *d, const char *name, const struct err *e);
void doctor_error(struct doctor *d, const char *name, const struct err *e);

doctor_check doctor_settings, doctor_url, doctor_server, doctor_role, doctor_maintenance,
    doctor_tools, doctor_folders, doctor_project, doctor_hooks, doctor_leftovers;

/* Only when asked for: it makes databases and drops them. */
doctor_check doctor_drill;

#endif
