#include "core/report/report.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "core/restore/side.h"

/* Room for one more in a REPORT_LIST of r. */
#define GROW(r, list)                                                                       \
    do {                                                                                    \
        if ((r)->list.count == (r)->list.size) {                                            \
            size_t size_ = (r)->list.size == 0 ? 8 : (r)->list.size * 2;                    \
            void *more_ = arena_array((r)->arena, size_, sizeof(*(r)->list.items));         \
            if ((r)->list.count > 0)                                                        \
                memcpy(more_, (r)->list.items, (r)->list.count * sizeof(*(r)->list.items)); \
            (r)->list.items = more_;                                                        \
            (r)->list.size = size_;                                                         \
        }                                                                                   \
    } while (0)

struct run_report report_new(struct arena *a, const char *run, const char *command)
{
    return (struct run_report){
        .arena = a,
        .run = run,
        .command = command,
        .exit_status = -1,
        .started_at = clock_rfc3339(a),
        .start_ms = clock_ms(),
        .migsafe_version = MIGSAFE_VERSION,
        .findings = findings_on(a),
        .baseline = findings_on(a),
        .swap_blocked_ms = -1,
        .writes_refused_ms = -1,
        .warnings = strlist_on(a),
    };
}

void report_add_migration(struct run_report *r, const char *name, const char *checksum)
{
    GROW(r, migrations);
    r->migrations.items[r->migrations.count++] =
        (struct report_migration){.name = name, .checksum = checksum};
}

static const char *redacted(struct arena *a, const char *text)
{
    if (text == NULL)
        return NULL;
    /* A secret may be shorter than its ***. */
    size_t size = 3 * strlen(text) + 16;
    char *clean = arena_alloc(a, size);
    log_redact(text, clean, size);
    return clean;
}

void report_add_attempt(struct run_report *r, const struct prisma_outcome *outcome)
{
    const struct failure *f = &outcome->failure;
    GROW(r, attempts);
    r->attempts.items[r->attempts.count] = (struct report_attempt){
        .number = (int)r->attempts.count + 1,
        .class = failure_class_name(f->class),
        .code = f->code,
        .sqlstate = f->sqlstate,
        .migration = f->migration,
        .message = redacted(r->arena, f->message),
        .elapsed_ms = outcome->elapsed_ms,
        .blocker = outcome->blocker,
    };
    r->attempts.count++;
}

void report_add_backup(struct run_report *r, const struct report_backup *b)
{
    GROW(r, backups);
    r->backups.items[r->backups.count++] = *b;
}

void report_add_step(struct run_report *r, const char *name, const char *result, int64_t elapsed_ms)
{
    GROW(r, steps);
    r->steps.items[r->steps.count++] =
        (struct report_step){.name = name, .result = result, .elapsed_ms = elapsed_ms};
}

/* The rows that Prisma writes into its ledger are the failed migration's own: nobody misses them.
 */
static void set_lost(struct run_report *r, const struct rollback_result *result)
{
    struct lost_writes *kept = arena_array(r->arena, result->lost_count + 1, sizeof(*kept));
    bool restore = str_same(r->command, "restore");
    r->lost_count = 0;
    for (size_t i = 0; i < result->lost_count; i++)
        if (restore || strcmp(result->lost[i].table, "_prisma_migrations") != 0)
            kept[r->lost_count++] = result->lost[i];
    r->lost = kept;
}

void report_set_rollback(struct run_report *r, const struct rollback_result *result)
{
    r->kept_database = result->kept;
    r->kept_bytes = result->kept_bytes;
    r->kept_drop_command = side_drop_command(r->arena, result->kept);
    set_lost(r, result);
    r->lost_rows = result->rows;
    r->swap_blocked_ms = result->swap.blocked_ms;
}

const char *report_replay(const struct run_report *r)
{
    return r->lost_rows.path == NULL ? NULL : arena_printf(r->arena, "migsafe replay %s", r->run);
}

static void clean_error(struct err *error)
{
    struct err clean = *error;
    log_redact(error->message, clean.message, sizeof(clean.message));
    log_redact(error->detail, clean.detail, sizeof(clean.detail));
    log_redact(error->hint, clean.hint, sizeof(clean.hint));
    *error = clean;
}

void report_end(struct run_report *r, const char *verdict, int exit_status, const struct err *error)
{
    r->verdict = verdict;
    r->exit_status = exit_status;
    r->finished_at = clock_rfc3339(r->arena);
    r->elapsed_ms = clock_ms() - r->start_ms;
    if (error != NULL) {
        r->error = *error;
        clean_error(&r->error);
    }
    if (r->next == NULL)
        r->next = report_advice(r);
}

/* The last attempt's class tells whether the same files can ever pass. */
static const char *mend(const struct run_report *r)
{
    const char *class =
        r->attempts.count == 0 ? "" : r->attempts.items[r->attempts.count - 1].class;
    if (r->attempts.count == 0) /* a signal, a kill, a lost server: none came to its end */
        return "The migration itself is not known to be at fault: deploy again.";
    if (str_same(class, "transient") || str_same(class, "before"))
        return "See what stood in the way, then deploy again with --again.";
    return "Mend the migration, then deploy again; the same files are refused without --again.";
}

/* A table that the migration dropped has nothing there that others could need. */
static int64_t lost_tables(const struct run_report *r)
{
    int64_t count = 0;
    for (size_t i = 0; i < r->lost_count; i++)
        count += r->lost[i].rows_now >= 0;
    return count;
}

static const char *advice_restored(const struct run_report *r)
{
    struct str s = str_on(r->arena);
    str_add(&s, "The database is as it was before the run. ");
    if (r->lost_rows.path != NULL)
        str_printf(
            &s, "What others wrote since the backup is in %s: `%s` shows it and brings it back. ",
            r->lost_rows.path, report_replay(r));
    else if (lost_tables(r) > 0)
        str_printf(&s,
                   "Rows written since the backup (%s) are only in the kept database: see "
                   "whether others need them. ",
                   str_plural(r->arena, lost_tables(r), "table", "tables"));
    str_add(&s, mend(r));
    if (r->kept_drop_command != NULL)
        str_printf(&s, " When nobody needs the replaced database any more: %s",
                   r->kept_drop_command);
    return s.text;
}

const char *report_advice(const struct run_report *r)
{
    const char *verdict = r->verdict == NULL ? "" : r->verdict;
    if (strcmp(verdict, "restored") == 0 && strcmp(r->command, "restore") != 0 &&
        strcmp(r->command, "replay") != 0)
        return advice_restored(r);
    if (strcmp(verdict, "broken") == 0 && r->exit_status != err_exit_status(ERR_BROKEN))
        return REPORT_GOES_ON;
    if (strcmp(verdict, "broken") == 0)
        return "A person must decide: `migsafe status` says what is there, `migsafe recover` names "
               "both ways and their commands. Nothing more is done until then.";
    if (strcmp(verdict, "unchanged") == 0)
        return arena_printf(r->arena, "The migrations left nothing behind. %s", mend(r));
    if (strcmp(verdict, "refused") == 0)
        return "Nothing was changed. Mend what the error names, then run it again.";
    if (r->exit_status != 0)
        return "Mend what the error names, then run it again.";
    if (r->findings.count > 0 || r->warnings.count > 0)
        return "Look at the findings and warnings.";
    return "Nothing.";
}
