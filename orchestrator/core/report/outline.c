#include "core/report/outline.h"

#include "base/clock.h"

/* Of long lists: the report is to fit on a screen, report.json has all. */
enum { LINES_MAX = 8 };

static const char *or_none(const char *text)
{
    return text == NULL || text[0] == '\0' ? "?" : text;
}

static bool is_filled(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void add_section(struct outline *o, const char *heading, struct strlist lines)
{
    if (lines.count == 0)
        return;
    assert(o->count < OUTLINE_SECTIONS);
    o->sections[o->count++] = (struct outline_section){.heading = heading, .lines = lines};
}

/* True while the i-th of count items is to be shown; says once how many are not. */
static bool shown(struct strlist *lines, size_t i, size_t count)
{
    if (i == LINES_MAX && count > LINES_MAX)
        strlist_printf(lines, "... and %zu more", count - LINES_MAX);
    return i < LINES_MAX;
}

static struct strlist error_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    if (r->error.kind == ERR_NONE)
        return lines;
    strlist_printf(&lines, "%s%s%s%s", r->error.message, r->error.sqlstate[0] ? " (SQLSTATE " : "",
                   r->error.sqlstate, r->error.sqlstate[0] ? ")" : "");
    if (r->error.detail[0])
        strlist_printf(&lines, "  detail: %s", r->error.detail);
    if (r->error.hint[0])
        strlist_printf(&lines, "  hint: %s", r->error.hint);
    return lines;
}

static struct strlist migration_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    for (size_t i = 0; i < r->migrations.count && shown(&lines, i, r->migrations.count); i++)
        strlist_add(&lines, or_none(r->migrations.items[i].name));
    return lines;
}

static void blocker_line(struct arena *a, struct strlist *lines, const struct prisma_blocker *b)
{
    if (b->pid == 0)
        return;
    strlist_printf(lines, "  blocked %s by pid %d%s%s%s%s%s", clock_human_ms(a, b->waited_ms),
                   b->pid, is_filled(b->application) ? " (" : "",
                   is_filled(b->application) ? b->application : "",
                   is_filled(b->application) ? ")" : "", is_filled(b->query) ? ": " : "",
                   is_filled(b->query) ? b->query : "");
    if (is_filled(b->waiting_statement))
        strlist_printf(lines, "  waiting: %s", b->waiting_statement);
}

static struct strlist attempt_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    for (size_t i = 0; i < r->attempts.count && shown(&lines, i, r->attempts.count); i++) {
        const struct report_attempt *t = &r->attempts.items[i];
        bool passed = str_same(t->class, "none");
        struct str line = str_on(a);
        str_printf(&line, "%d: %s after %s", t->number, passed ? "passed" : or_none(t->class),
                   clock_human_ms(a, t->elapsed_ms));
        if (is_filled(t->code))
            str_printf(&line, ", %s", t->code);
        if (is_filled(t->sqlstate))
            str_printf(&line, ", SQLSTATE %s", t->sqlstate);
        if (is_filled(t->migration))
            str_printf(&line, ", in %s", t->migration);
        strlist_add(&lines, line.text);
        if (is_filled(t->message))
            strlist_printf(&lines, "  %s", t->message);
        blocker_line(a, &lines, &t->blocker);
    }
    return lines;
}

static struct strlist step_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    struct str line = str_on(a);
    for (size_t i = 0; i < r->steps.count; i++) {
        const struct report_step *s = &r->steps.items[i];
        str_item(&line, ", ", or_none(s->name));
        if (!str_same(s->result, "done"))
            str_printf(&line, " %s", or_none(s->result));
        str_printf(&line, " %s", clock_human_ms(a, s->elapsed_ms));
    }
    if (line.length > 0)
        strlist_add(&lines, line.text);
    return lines;
}

static struct strlist finding_lines(struct arena *a, const struct findings *f)
{
    struct strlist lines = strlist_on(a);
    for (size_t i = 0; i < f->count && shown(&lines, i, f->count); i++) {
        const struct finding *item = &f->items[i];
        strlist_printf(&lines, "%s: %s",
                       item->allowed ? "allowed" : finding_level_name(item->level),
                       finding_line(a, item));
        if (item->file != NULL)
            strlist_printf(&lines, "  at %s", finding_place(a, item));
        if (item->allowed)
            strlist_printf(&lines, "  allowed by %s", or_none(item->allowed_by));
        else if (is_filled(item->advice))
            strlist_printf(&lines, "  %s", item->advice);
    }
    return lines;
}

static struct strlist backup_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    for (size_t i = 0; i < r->backups.count && shown(&lines, i, r->backups.count); i++) {
        const struct report_backup *b = &r->backups.items[i];
        strlist_printf(&lines, "%s (%s): %s, %s", or_none(b->id), or_none(b->kind),
                       str_bytes(a, b->bytes), str_plural(a, b->rows, "row", "rows"));
    }
    return lines;
}

static struct strlist kept_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    if (r->kept_database == NULL)
        return lines;
    struct str line = str_on(a);
    str_printf(&line, "%s, %s", r->kept_database, str_bytes(a, r->kept_bytes));
    if (r->swap_blocked_ms >= 0)
        str_printf(&line, "; newcomers waited %s for the switch",
                   clock_human_ms(a, r->swap_blocked_ms));
    strlist_add(&lines, line.text);
    return lines;
}

static struct strlist fence_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    if (r->writes_refused_ms >= 0)
        strlist_printf(&lines, "writes of others were refused for %s",
                       clock_human_ms(a, r->writes_refused_ms));
    return lines;
}

static const char *rows_text(struct arena *a, int64_t rows)
{
    return rows < 0 ? "none" : str_count(a, rows);
}

static struct strlist lost_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    for (size_t i = 0; i < r->lost_count && shown(&lines, i, r->lost_count); i++) {
        const struct lost_writes *w = &r->lost[i];
        struct str line = str_on(a);
        str_printf(&line, "%s.%s: ", or_none(w->schema), or_none(w->table));
        if (w->written >= 0)
            str_printf(&line, "%s written; ", str_plural(a, w->written, "row", "rows"));
        str_printf(&line, "%s in the backup, ", rows_text(a, w->rows_then));
        if (w->rows_now < 0)
            str_add(&line, "no such table in the kept database");
        else
            str_printf(&line, "%s in the kept database", str_count(a, w->rows_now));
        strlist_add(&lines, line.text);
    }
    return lines;
}

static struct strlist replay_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    const struct lost_rows *l = &r->lost_rows;
    if (l->path != NULL)
        strlist_printf(&lines, "%s: %s", report_replay(r), l->path);
    for (size_t i = 0; i < l->count && shown(&lines, i, l->count); i++)
        strlist_printf(&lines, "%s.%s: %s inserted, %s updated, %s deleted%s",
                       or_none(l->tables[i].schema), or_none(l->tables[i].table),
                       str_count(a, l->tables[i].inserts), str_count(a, l->tables[i].updates),
                       str_count(a, l->tables[i].deletes),
                       l->tables[i].of_migration ? ", maybe by the migration" : "");
    if (l->note != NULL)
        strlist_printf(&lines, "not in it: %s", l->note);
    return lines;
}

static struct strlist warning_lines(struct arena *a, const struct run_report *r)
{
    struct strlist lines = strlist_on(a);
    for (size_t i = 0; i < r->warnings.count && shown(&lines, i, r->warnings.count); i++)
        strlist_add(&lines, r->warnings.items[i]);
    return lines;
}

static const char *title(struct arena *a, const struct run_report *r)
{
    struct str s = str_on(a);
    str_printf(&s, "%s %s", r->command, r->run);
    if (is_filled(r->database))
        str_printf(&s, " of %s", r->database);
    if (is_filled(r->host))
        str_printf(&s, " at %s", r->host);
    str_printf(&s, ": %s", r->verdict == NULL ? "not ended" : r->verdict);
    if (r->recovered)
        str_add(&s, " by recover");
    if (r->exit_status >= 0)
        str_printf(&s, " (exit %d)", r->exit_status);
    return s.text;
}

/* "2026-11-20T19:46:09.123Z" as people write it. */
static const char *stamp(struct arena *a, const char *rfc3339)
{
    if (rfc3339 == NULL || strlen(rfc3339) < 19 || rfc3339[10] != 'T')
        return or_none(rfc3339);
    return arena_printf(a, "%.10s %.8s UTC", rfc3339, rfc3339 + 11);
}

static const char *when(struct arena *a, const struct run_report *r)
{
    struct str s = str_on(a);
    str_printf(&s, "%s, %s", stamp(a, r->started_at), clock_human_ms(a, r->elapsed_ms));
    if (is_filled(r->git_commit))
        str_printf(&s, ", commit %.10s", r->git_commit);
    if (is_filled(r->git_branch))
        str_printf(&s, "%s of %s", is_filled(r->git_commit) ? "" : ", no commit yet",
                   r->git_branch);
    if (is_filled(r->migsafe_version))
        str_printf(&s, ", migsafe %s", r->migsafe_version);
    return s.text;
}

struct outline report_outline(struct arena *a, const struct run_report *r)
{
    struct outline o = {
        .title = title(a, r),
        .failed = r->exit_status != 0,
        .when = when(a, r),
        .next = r->next,
    };
    add_section(&o, "error", error_lines(a, r));
    add_section(&o, "migrations", migration_lines(a, r));
    add_section(&o, "rehearsal", rehearsal_lines(a, &r->rehearsal));
    add_section(&o, "runs of Prisma", attempt_lines(a, r));
    add_section(&o, "findings", finding_lines(a, &r->findings));
    add_section(&o, "backups", backup_lines(a, r));
    add_section(&o, "fence", fence_lines(a, r));
    add_section(&o, "replaced database, kept", kept_lines(a, r));
    add_section(&o, "written since the backup, only in the kept database (the migration's own too)",
                lost_lines(a, r));
    add_section(&o, "can be brought back", replay_lines(a, r));
    add_section(&o, "warnings", warning_lines(a, r));
    if (r->baseline.count > 0) {
        struct strlist lines = strlist_on(a);
        strlist_printf(&lines, "%s; `migsafe health` lists them",
                       str_plural(a, (int64_t)r->baseline.count, "finding", "findings"));
        add_section(&o, "there before, not counted", lines);
    }
    add_section(&o, "steps", step_lines(a, r));
    return o;
}
