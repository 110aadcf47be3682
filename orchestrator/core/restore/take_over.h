/*
 * take_over.h - a dump made by others becomes a backup like any other.
 *
 * It is restored into a side database (purpose import), of which a full and a data backup
 * are taken in the name of the live database; the side database is dropped in any case.
 */
#ifndef MIGSAFE_CORE_RESTORE_TAKE_OVER_H
#define MIGSAFE_CORE_RESTORE_TAKE_OVER_H

#include "core/backup/backup.h"
#include "core/restore/foreign.h"

struct take_over_spec {
    const struct foreign_restore *dump;
    const char *maintenance_database;
    const struct database_facts *like; /* the live database, whose backups these shall be */
    const char *run;                   /* names the side database */
    /* Compression, jobs, folder, label ...; live and as are set here. */
    const struct backup_spec *backup;
    void (*say)(void *context, const char *doing); /* or NULL */
    void *context;
};

/* As side_create, foreign_restore and backup_take. */
MUST_CHECK bool take_over(struct arena *a, const struct take_over_spec *spec,
                          struct backup_done *done, struct err *e);

#endif
