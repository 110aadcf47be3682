/*
 * compression.h - the setting `compression`, as data files are packed by.
 */
#ifndef MIGSAFE_CORE_BACKUP_COMPRESSION_H
#define MIGSAFE_CORE_BACKUP_COMPRESSION_H

#include "ext/member.h"

struct compression {
    enum member_codec codec;
    int level;
    bool automatic; /* the server's version decides: see compression_for */
};

/* "auto" (NULL too), "none", "gzip:1" to "gzip:9", "zstd:1" to "zstd:19".  ERR_CONFIG. */
MUST_CHECK bool compression_parse(const char *text, struct compression *c, struct err *e);

/* What "auto" is with the tools of a server's version (160002): zstd:1 when they read it, else
 * gzip:1. */
struct compression compression_for(struct compression c, int server_version);

/* "gzip:1", "none" */
char *compression_text(struct arena *a, struct compression c) RETURNS_NONNULL;

#endif
