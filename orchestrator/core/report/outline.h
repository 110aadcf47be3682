/*
 * outline.h - a report as a title and headed lists of lines: what its text and Markdown share.
 */
#ifndef MIGSAFE_CORE_REPORT_OUTLINE_H
#define MIGSAFE_CORE_REPORT_OUTLINE_H

#include "core/report/report.h"

enum { OUTLINE_SECTIONS = 16 };

struct outline_section {
    const char *heading;
    struct strlist lines; /* a line that starts with two blanks belongs to the one before */
};

struct outline {
    const char *title; /* "deploy 2026..._ab12 of app: restored (exit 20)" */
    bool failed;
    const char *when; /* "2026-11-20 19:46:09 UTC, 1 min 2 s, commit 1a2b3c4d5e" */
    struct outline_section sections[OUTLINE_SECTIONS];
    size_t count; /* sections without lines are left out */
    const char *next;
};

struct outline report_outline(struct arena *a, const struct run_report *r);

#endif
