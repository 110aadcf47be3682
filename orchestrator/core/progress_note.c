#include "core/progress_note.h"

static bool write_note(struct progress_note *n, const struct progress_now *now, struct err *e)
{
    struct json *data = json_object();
    struct json *j = json_put_object(data, "progress");
    json_put(j, "doing", now->doing);
    json_put_int(j, "done", now->done);
    json_put_int(j, "total", now->total);
    json_put_int(j, "rate", now->rate);
    json_put_int(j, "left_ms", now->left_ms);
    json_put_int(j, "rows", now->rows);
    return journal_write(n->journal, n->step, "note", data, NULL, e);
}

static bool say(void *context, const struct progress_now *now, struct err *e)
{
    struct progress_note *n = context;
    if (n->also != NULL && n->also->say != NULL && !n->also->say(n->also->context, now, e))
        return false;
    if (now->last)
        n->next_ms = 0;
    if (now->last || now->elapsed_ms < PROGRESS_NOTE_MS || now->elapsed_ms < n->next_ms)
        return true;
    n->next_ms = now->elapsed_ms + PROGRESS_NOTE_MS;
    return write_note(n, now, e);
}

static void table(void *context, const char *schema, const char *name, int64_t rows, int64_t bytes)
{
    const struct progress_note *n = context;
    n->also->table(n->also->context, schema, name, rows, bytes);
}

struct progress_note progress_note_to(struct journal *journal, const char *step,
                                      const struct progress *also)
{
    return (struct progress_note){.journal = journal, .step = step, .also = also};
}

struct progress *progress_note_of(struct progress_note *n)
{
    n->progress.say = say;
    n->progress.table = n->also != NULL && n->also->table != NULL ? table : NULL;
    n->progress.context = n;
    return &n->progress;
}
