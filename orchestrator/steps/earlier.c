#include "steps/earlier.h"

#include "core/journal.h"

static const struct json *record_of(const struct journal_run *r, const char *step,
                                    const char *event)
{
    for (size_t i = 0; i < json_count(r->records); i++) {
        const struct json *record = json_at(r->records, i);
        if (strcmp(json_str(record, "step", ""), step) == 0 &&
            strcmp(json_str(record, "event", ""), event) == 0)
            return record;
    }
    return NULL;
}

static void note_finished(struct arena *a, const struct journal_run *r, struct earlier *earlier)
{
    const struct json *verdict = record_of(r, "run", "verdict");
    const struct json *end = json_find(verdict, "data"), *error = json_find(verdict, "error");
    if (earlier->last != NULL || strcmp(r->command, "deploy") != 0)
        return;
    earlier->last = r->run;
    earlier->last_verdict = r->verdict;
    earlier->last_digest = arena_strdup(a, json_str(end, "pending_digest", ""));
    earlier->last_permanent = json_bool(end, "permanent", false);
    earlier->last_exit = r->exit_status;
    earlier->last_announced = record_of(r, "announce", "done") != NULL;
    earlier->last_message = arena_strdup(a, json_str(error, "message", ""));
}

static void note_unfinished(const struct journal_run *r, struct earlier *earlier)
{
    if (earlier->unfinished != NULL)
        return;
    earlier->unfinished = r->run;
    earlier->unfinished_step = r->last_step;
    earlier->unfinished_event = r->last_event;
    earlier->unfinished_at = r->ended_at;
}

bool earlier_read(struct arena *a, const char *state_dir, const char *database,
                  struct earlier *earlier, struct err *e)
{
    struct strlist runs;
    *earlier = (struct earlier){0};
    if (!journal_list(a, state_dir, &runs, e))
        return false;
    for (size_t i = runs.count; i-- > 0 && earlier->last == NULL;) {
        struct journal_run r;
        if (!journal_read(a, state_dir, runs.items[i], &r, e))
            return err_wrap(e, "could not read the run before this one");
        const struct json *begin = json_find(record_of(&r, "run", "begin"), "data");
        bool ours = begin == NULL || strcmp(json_str(begin, "database", database), database) == 0;
        if (ours && r.verdict == NULL && json_count(r.records) > 0)
            note_unfinished(&r, earlier);
        else if (ours && r.verdict != NULL)
            note_finished(a, &r, earlier);
        json_free(r.records);
    }
    return true;
}

bool earlier_refuse_unfinished(const struct earlier *earlier, const char *state_dir, struct err *e)
{
    if (earlier->unfinished == NULL)
        return true;
    err_set(e, ERR_BROKEN, "run %s has no end: it stopped in step \"%s\"", earlier->unfinished,
            earlier->unfinished_step);
    err_detail(e, "Its last record is \"%s\", at %s.", earlier->unfinished_event,
               earlier->unfinished_at);
    err_hint(
        e,
        "See \"migsafe status\" and \"migsafe report %s\". When the database is as you want it, "
        "move the folder \"%s/runs/%s\" away and deploy again.",
        earlier->unfinished, state_dir, earlier->unfinished);
    return false;
}

bool earlier_refuse_repetition(const struct earlier *earlier, const char *digest, struct err *e)
{
    bool failed = earlier->last != NULL && (strcmp(earlier->last_verdict, "restored") == 0 ||
                                            strcmp(earlier->last_verdict, "unchanged") == 0);
    if (!failed || !earlier->last_permanent || strcmp(earlier->last_digest, digest) != 0)
        return true;
    err_set(e, ERR_UNCHANGED, "the same migrations failed in run %s and would fail again",
            earlier->last);
    err_detail(e, "Nothing was done: no backup, no migration, no alert.");
    err_hint(e,
             "Change the migrations, or give --again when the cause is mended. "
             "\"migsafe report %s\" tells the cause.",
             earlier->last);
    return false;
}

/* Counts grow while a database is in use. */
static bool same_but_for_numbers(const char *a, const char *b)
{
    static const char numbers[] = "0123456789 ";
    for (;; a++, b++) {
        a += strspn(a, numbers);
        b += strspn(b, numbers);
        if (*a != *b || *a == '\0')
            return *a == *b;
    }
}

bool earlier_announced(const struct earlier *earlier, const char *digest, const struct err *e)
{
    return earlier->last != NULL && earlier->last_announced &&
           strcmp(earlier->last_verdict, "refused") == 0 &&
           earlier->last_exit == err_exit_status(e->kind) &&
           strcmp(earlier->last_digest, digest) == 0 &&
           same_but_for_numbers(earlier->last_message, e->message);
}
