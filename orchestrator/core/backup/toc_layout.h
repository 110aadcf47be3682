/*
 * toc_layout.h - what the reader and the writer of toc.dat both have to know.
 */
#ifndef MIGSAFE_CORE_BACKUP_TOC_LAYOUT_H
#define MIGSAFE_CORE_BACKUP_TOC_LAYOUT_H

#define TOC_FILE  "toc.dat"
#define TOC_MAGIC "PGDMP"

enum {
    TOC_MAX_BYTES = 512 << 20,
    TOC_OLDEST_MINOR = 14,
    TOC_NEWEST_MINOR = 16,
    TOC_WITH_ALGORITHM = 15, /* the minor version that names the compression, not its level */
    TOC_WITH_RELKIND = 16,
    TOC_INT_BYTES = 4,
    TOC_OFFSET_BYTES = 8,
    TOC_FORMAT_DIRECTORY = 3, /* the directory format writes the code of tar */
};

#endif
