/*
 * export_tar.h - a backup's folder as one tar, made by the system's tar.
 */
#ifndef MIGSAFE_CORE_BACKUP_EXPORT_TAR_H
#define MIGSAFE_CORE_BACKUP_EXPORT_TAR_H

#include "core/backup/store.h"
#include "ext/pack.h"

/* <id>/manifest.json, <id>/SHA256SUMS, and what the manifest names; nothing else.  ERR_CHILD: there
 * is no tar, or its error. */
MUST_CHECK bool export_tar(struct arena *a, const struct stored *s, struct pack *to, struct err *e);

#endif
