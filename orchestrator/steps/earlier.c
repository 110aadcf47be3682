#include "steps/earlier.h"

#include "core/journal.h"

static void note_finished(struct arena *a, const struct journal_run *r, struct earlier *earlier)
{
    const struct json *verdict = journal_last(r->records, "run", "verdict");
    const struct json *end = json_find(verdict, "data"), *error = json_find(verdict, "error");
    if (earlier->broken == NULL && strcmp(r->verdict, "broken") == 0 && r->decision == NULL)
        earlier->broken = r->run;
    if (earlier->last != NULL || strcmp(r->command, "deploy") != 0)
        return;
    earlier->last = r->run;
    earlier->last_verdict = r->verdict;
    earlier->last_digest = arena_strdup(a, json_str(end, "pending_digest", ""));
    earlier->last_permanent = json_bool(end, "permanent", false);
    earlier->last_exit = r->exit_status;
    earlier->last_announced = journal_first(r->records, "announce", "done") != NULL;
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

/* Names repeat on other servers; journals of before they said which count everywhere. */
static bool is_of(const struct journal_run *r, const struct earlier_of *of)
{
    const struct json *begin = json_find(journal_first(r->records, "run", "begin"), "data");
    const char *server = json_str(begin, "server", "");
    return strcmp(json_str(begin, "database", of->database), of->database) == 0 &&
           (server[0] == '\0' || of->server == NULL || strcmp(server, of->server) == 0);
}

bool earlier_read(struct arena *a, const char *state_dir, const struct earlier_of *of,
                  struct earlier *earlier, struct err *e)
{
    struct strlist runs;
    *earlier = (struct earlier){0};
    if (!journal_list(a, state_dir, &runs, e))
        return false;
    for (size_t i = runs.count; i-- > 0;) {
        struct journal_run r;
        if (earlier->last != NULL && !journal_may_be_open(state_dir, runs.items[i]))
            continue;
        if (!journal_read(a, state_dir, runs.items[i], &r, e))
            return err_wrap(e, "could not read the run before this one");
        bool ours = is_of(&r, of);
        if (ours && r.verdict == NULL && json_count(r.records) > 0)
            note_unfinished(&r, earlier);
        else if (ours && r.verdict != NULL)
            note_finished(a, &r, earlier);
        json_free(r.records);
    }
    return true;
}

const char *earlier_text(struct arena *a, const struct earlier *earlier)
{
    if (earlier->broken != NULL)
        return arena_printf(a,
                            "run %s ended broken, a person must decide: migsafe recover %s --keep, "
                            "or --restore",
                            earlier->broken, earlier->broken);
    if (earlier->unfinished == NULL)
        return NULL;
    return arena_printf(a,
                        "run %s has no end: if it is not at work any more \"migsafe recover\" "
                        "finishes or undoes it, and so does the next deploy",
                        earlier->unfinished);
}

bool earlier_refuse_broken(const struct earlier *earlier, struct err *e)
{
    if (earlier->broken == NULL)
        return true;
    err_set(e, ERR_BROKEN, "run %s ended broken, and nobody has decided yet", earlier->broken);
    err_detail(e,
               "Nothing was done. \"migsafe recover\" names both ways, \"migsafe report %s\" "
               "tells what happened.",
               earlier->broken);
    err_hint(e,
             "When the database is right as it is now: migsafe recover %s --keep. To replace it by "
             "the run's backup: migsafe recover %s --restore.",
             earlier->broken, earlier->broken);
    return false;
}

bool earlier_refuse_repetition(const struct earlier *earlier, const char *digest, struct err *e)
{
    bool refused = earlier->last != NULL && strcmp(earlier->last_verdict, "refused") == 0;
    bool failed =
        refused || (earlier->last != NULL && (strcmp(earlier->last_verdict, "restored") == 0 ||
                                              strcmp(earlier->last_verdict, "unchanged") == 0));
    if (!failed || !earlier->last_permanent || strcmp(earlier->last_digest, digest) != 0)
        return true;
    err_set(e, refused ? ERR_UNSAFE : ERR_UNCHANGED,
            "the same migrations failed in %s %s and would fail again",
            refused ? "the rehearsal of run" : "run", earlier->last);
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
