/*
 * proof.h - is what a full backup restores to the database that was backed up?
 *
 * It is restored into a side database (purpose verify), where restore_full compares rows
 * and sequences; then every table is read back as the backup read it, its content summed
 * and compared with the manifest's, and every large object is compared with its file.
 * The side database is dropped whatever happens.
 */
#ifndef MIGSAFE_CORE_RESTORE_PROOF_H
#define MIGSAFE_CORE_RESTORE_PROOF_H

#include "core/backup/verify.h"
#include "core/connection/connection.h"

struct proof_spec {
    const struct connection *server; /* the role that restores */
    const char *maintenance_database;
    const char *pg_bin;
    const struct stored *backup; /* full */
    const char *run;             /* names the side database */
    int jobs;
    struct progress *progress; /* or NULL */
};

struct proof_result {
    struct verify_damage *damages; /* in the order of the manifest */
    size_t damage_count;
    int64_t tables, rows, sequences, large_objects;
    int64_t tables_by_content; /* whose content was compared too */
};

/* True: it could be restored and everything was compared; whether it is the same the damages say.
 * Else as side_create and restore_full. */
MUST_CHECK bool restore_prove(struct arena *a, const struct proof_spec *spec,
                              struct proof_result *result, struct err *e);

/* Does the failure of a restore say something about the backup (a statement of it failed, or it is
 * damaged), or only about the place: no room, no right, a server that stopped? */
bool proof_tells_of_backup(const struct err *e);

#endif
