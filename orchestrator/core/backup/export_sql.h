/*
 * export_sql.h - a backup as SQL: the schema by pg_restore, the data from the data files.
 *
 * pg_restore prints the whole script from a copy of toc.dat in which each entry with data
 * says only where it stands; there the data is put in.  So the script is pg_restore's own
 * in every word and order, and no tool needs to read the data files (pg_restore 15 does
 * not know zstd).
 */
#ifndef MIGSAFE_CORE_BACKUP_EXPORT_SQL_H
#define MIGSAFE_CORE_BACKUP_EXPORT_SQL_H

#include "core/backup/export.h"
#include "ext/pack.h"

MUST_CHECK bool export_full_sql(struct arena *a, const struct export_spec *spec, struct pack *to,
                                struct err *e);
MUST_CHECK bool export_data_sql(struct arena *a, const struct export_spec *spec, struct pack *to,
                                struct err *e);

#endif
