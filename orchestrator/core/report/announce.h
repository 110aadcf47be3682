/*
 * announce.h - a run's report goes out: the webhook, as the settings want it.
 */
#ifndef MIGSAFE_CORE_REPORT_ANNOUNCE_H
#define MIGSAFE_CORE_REPORT_ANNOUNCE_H

#include "core/report/report.h"
#include "core/settings/settings.h"

/* Posts webhook_body where a webhook is set and wanted: after a failure, with webhook-on = always
 * after a success too.  A failure here is a warning of the caller, never a verdict. */
MUST_CHECK bool announce(struct arena *a, const struct settings *s, const struct run_report *r,
                         bool failed, struct err *e);

#endif
