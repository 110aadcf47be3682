/*
 * configuration.h - the rows that a user put into tables of extensions (pg_extension_config_dump).
 *
 * CREATE EXTENSION has made these tables with their foreign keys, and maybe rows: what is
 * loaded comes to these, in the order that the keys ask for, as pg_restore does it.
 */
#ifndef MIGSAFE_CORE_RESTORE_CONFIGURATION_H
#define MIGSAFE_CORE_RESTORE_CONFIGURATION_H

#include "core/restore/rows.h"

/* Those of the manifest; of a backup whose manifest does not know them, those of its archive.
 * ERR_DAMAGED (a file, or another number of rows than the manifest's), ERR_QUERY. */
MUST_CHECK bool configuration_load(struct arena *a, struct pg *db, const struct rows_spec *spec,
                                   struct err *e);
/* Removes the rows that a user put there, where the tables are and stay.  ERR_PREFLIGHT: the backup
 * does not tell which rows these are. */
MUST_CHECK bool configuration_clear(struct arena *a, struct pg *db, const struct rows_spec *spec,
                                    struct err *e);

#endif
