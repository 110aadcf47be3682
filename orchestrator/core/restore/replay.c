#include "core/restore/replay.h"

#include "base/stop.h"
#include "core/restore/load.h"
#include "ext/pack.h"

#include <stdlib.h>

enum section {
    SECTION_LOAD, /* and what comes before: done while reading */
    SECTION_BEGIN,
    SECTION_STATE,
    SECTION_APPLY,
    SECTION_END,
    SECTION_SEQUENCES,
    SECTION_COMMIT,
};

struct statement {
    const char *sql;
    enum section section;
    bool of_migration;
};

struct lines {
    struct unpack *from;
    char *buffer; /* heap: a row may be long */
    size_t start, end, size;
    int64_t number;
};

struct replay {
    struct arena *arena;
    const struct replay_spec *spec;
    struct pg *db;
    struct lines lines;
    struct statement *statements; /* heap */
    size_t count, size;
    enum section section; /* while reading */
    bool of_migration;
};

void replay_close(struct replay *r)
{
    if (r == NULL)
        return;
    pg_close(r->db);
    unpack_close(r->lines.from);
    free(r->lines.buffer);
    free(r->statements);
    free(r);
}

/* --- reading --------------------------------------------------------------------------------- */

static bool more(struct lines *l, size_t *n, struct err *e)
{
    enum { FIRST = 1 << 16 };
    if (l->start > 0) {
        memmove(l->buffer, l->buffer + l->start, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
    }
    if (l->end == l->size) {
        l->size = l->size == 0 ? FIRST : 2 * l->size;
        l->buffer = realloc(l->buffer, l->size);
        if (l->buffer == NULL)
            abort(); /* as an arena does */
    }
    if (!unpack_read(l->from, l->buffer + l->end, l->size - l->end, n, e))
        return false;
    l->end += *n;
    return true;
}

/* With its line end, valid until the next call; *n 0: the end. */
static bool next_line(struct lines *l, const char **line, size_t *n, struct err *e)
{
    size_t seen = 0;
    for (;;) {
        const char *from = l->buffer == NULL ? "" : l->buffer + l->start;
        const char *end = memchr(from + seen, '\n', l->end - l->start - seen);
        size_t got = 1;
        if (end == NULL) {
            seen = l->end - l->start;
            if (!more(l, &got, e))
                return false;
        }
        if (end == NULL && got > 0)
            continue;
        *line = end != NULL ? from : l->buffer + l->start;
        *n = end != NULL ? (size_t)(end - from) + 1 : l->end - l->start;
        l->start += *n;
        l->number++;
        return true;
    }
}

static bool damaged(const struct replay *r, const char *what, struct err *e)
{
    return err_set(e, ERR_DAMAGED, "file \"%s\", line %lld: %s", r->spec->path,
                   (long long)r->lines.number, what);
}

static bool load_rows(struct replay *r, const char *copy, struct err *e)
{
    int64_t rows, first = r->lines.number + 1;
    if (!pg_copy_in(r->db, copy, e))
        return false;
    for (;;) {
        const char *line;
        size_t n;
        if (!next_line(&r->lines, &line, &n, e)) {
            pg_copy_abort(r->db);
            return false;
        }
        if (n == 0) {
            pg_copy_abort(r->db);
            return damaged(r, "it ends within rows", e);
        }
        if (n == 3 && memcmp(line, "\\.\n", 3) == 0)
            return pg_copy_done(r->db, &rows, e) ||
                   err_wrap(e, "file \"%s\": rows from line %lld on do not fit the database",
                            r->spec->path, (long long)first);
        if (!pg_copy_send(r->db, line, n, e))
            return false;
    }
}

static bool take_mark(struct replay *r, const char *mark, struct err *e)
{
    static const struct {
        const char *word;
        enum section section;
    } marks[] = {
        {"load", SECTION_LOAD},
        {"begin", SECTION_BEGIN},
        {"state", SECTION_STATE},
        {"apply", SECTION_APPLY},
        {"end", SECTION_END},
        {"part others", SECTION_STATE},
        {"part migration", SECTION_STATE},
        {"commit", SECTION_COMMIT},
        {"sequences", SECTION_SEQUENCES},
    };
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strcmp(marks[i].word, mark) == 0) {
            r->section = marks[i].section;
            if (str_starts(mark, "part ") || marks[i].section == SECTION_END)
                r->of_migration = strcmp(mark, "part migration") == 0;
            return true;
        }
    return damaged(r, "unknown mark", e);
}

static void keep(struct replay *r, const char *sql)
{
    if (r->count == r->size) {
        r->size = 2 * r->size + 64;
        r->statements = reallocarray(r->statements, r->size, sizeof(*r->statements));
        if (r->statements == NULL)
            abort();
    }
    r->statements[r->count++] = (struct statement){sql, r->section, r->of_migration};
}

static bool take_line(struct replay *r, const char *line, size_t n, struct err *e)
{
    static const char mark[] = "-- migsafe: ", copy[] = " FROM stdin;";
    AUTO(arena) struct arena *a = arena_new();
    char *text = arena_alloc(r->section == SECTION_LOAD ? a : r->arena, n + 1);
    memcpy(text, line, n);
    text[n] = '\0';
    if (n > 0 && text[n - 1] == '\n')
        text[n - 1] = '\0';
    if (str_starts(text, mark))
        return take_mark(r, text + sizeof(mark) - 1, e);
    if (str_starts(text, "--") || text[0] == '\\' || text[0] == '\0')
        return true;
    if (!str_ends(text, ";"))
        return damaged(r, "it is no statement", e);
    if (r->section != SECTION_LOAD) {
        keep(r, text);
        return true;
    }
    if (str_starts(text, "COPY ") && str_ends(text, copy))
        return load_rows(r, text, e);
    return pg_exec(r->db, text, e) ||
           err_wrap(e, "file \"%s\", line %lld", r->spec->path, (long long)r->lines.number);
}

static bool read_file(struct replay *r, struct err *e)
{
    static const char head[] = "-- migsafe lost writes ";
    const char *line;
    size_t n;
    if (!next_line(&r->lines, &line, &n, e))
        return false;
    if (n < sizeof(head) || memcmp(line, head, sizeof(head) - 1) != 0)
        return damaged(r, "it is no file of lost writes", e);
    if (line[sizeof(head) - 1] != '1' || line[sizeof(head)] != '\n')
        return damaged(r, "a newer migsafe wrote it", e);
    for (;;) {
        if (!stop_check(e) || !next_line(&r->lines, &line, &n, e))
            return false;
        if (n == 0)
            return r->section == SECTION_COMMIT || damaged(r, "its end is lacking", e);
        if (!take_line(r, line, n, e))
            return false;
    }
}

struct replay *replay_open(struct arena *a, const struct replay_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe replay"};
    AUTO(replay) struct replay *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        err_sys(e, ERR_SYSTEM, "could not read \"%s\"", spec->path);
        return NULL;
    }
    r->arena = a;
    r->spec = spec;
    r->lines.from = unpack_open(a, spec->path, arena_printf(a, "file \"%s\"", spec->path), e);
    if (r->lines.from == NULL)
        return NULL;
    r->db = connection_open(spec->to, &use, e);
    return r->db != NULL && load_checked(r->db, e) && read_file(r, e) ? TAKE(r) : NULL;
}

/* --- doing ----------------------------------------------------------------------------------- */

static bool is_wanted(const struct replay *r, const struct statement *s)
{
    return !s->of_migration || r->spec->include_migrated;
}

static bool run_section(struct replay *r, enum section section, struct err *e)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct statement *s = &r->statements[i];
        if (s->section == section && is_wanted(r, s) && strcmp(s->sql, "BEGIN;") != 0 &&
            (!stop_check(e) || !pg_exec(r->db, s->sql, e)))
            return false;
    }
    return true;
}

/* after: what is done is the difference to what was there before. */
static bool read_state(struct replay *r, struct replay_result *result, bool after, struct err *e)
{
    static const char *const rows_of[] = {"inserts", "updates", "deletes"};
    static const char *const there_of[] = {"inserts_there", "updates_there", "deletes_there"};
    size_t at = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct statement *s = &r->statements[i];
        struct pg_rows rows;
        if (s->section != SECTION_STATE)
            continue;
        if (!pg_query(r->arena, r->db, s->sql, PG_NONE, &rows, e))
            return false;
        struct replay_table *t = &result->tables[at++];
        t->table = pg_cell(&rows, 0, "table");
        t->of_migration = s->of_migration;
        for (int k = 0; k < REPLAY_KINDS; k++) {
            int64_t there = pg_cell_int(&rows, 0, there_of[k]);
            t->rows[k] = pg_cell_int(&rows, 0, rows_of[k]);
            if (after)
                t->done[k] = there > t->there[k] ? there - t->there[k] : 0;
            else
                t->there[k] = there;
        }
    }
    result->count = at;
    return true;
}

static void sum_up(const struct replay *r, struct replay_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        for (int k = 0; k < REPLAY_KINDS; k++) {
            const struct replay_table *t = &result->tables[i];
            if (t->of_migration && !r->spec->include_migrated) {
                result->left_out += t->rows[k];
                continue;
            }
            result->rows += t->rows[k];
            result->there += t->there[k];
            result->done += t->done[k];
        }
    result->conflicts = result->rows - result->there - result->done;
}

static bool tell_commit(struct replay *r, struct err *e)
{
    const struct replay_spec *s = r->spec;
    if (s->committing == NULL)
        return true;
    const char *transaction = pg_value(r->arena, r->db, "SELECT txid_current()", PG_NONE, e);
    return transaction != NULL && s->committing(s->context, transaction, e);
}

static bool within(struct replay *r, bool commit, struct replay_result *result, struct err *e)
{
    if (!run_section(r, SECTION_BEGIN, e) || !read_state(r, result, false, e) ||
        !run_section(r, SECTION_APPLY, e) || !read_state(r, result, true, e) ||
        /* What is deferred is checked now: no table may be altered before that. */
        !pg_exec(r->db, "SET CONSTRAINTS ALL IMMEDIATE", e) || !run_section(r, SECTION_END, e) ||
        (commit && !run_section(r, SECTION_SEQUENCES, e)))
        return false;
    sum_up(r, result);
    if (!stop_check(e) || (commit && !tell_commit(r, e)))
        return false;
    stop_shield(true);
    bool ok = pg_exec(r->db, commit ? "COMMIT" : "ROLLBACK", e);
    stop_shield(false);
    return ok;
}

bool replay_run(struct replay *r, bool commit, struct replay_result *result, struct err *e)
{
    struct err ignored = {0};
    *result = (struct replay_result){
        .tables = arena_array(r->arena, r->count + 1, sizeof(*result->tables))};
    if (!pg_execf(r->db, e, "BEGIN; SET LOCAL lock_timeout = %lld",
                  (long long)r->spec->lock_timeout_ms))
        return false;
    if (within(r, commit, result, e))
        return true;
    if (pg_is_alive(r->db) && !pg_exec(r->db, "ROLLBACK", &ignored))
        err_detail(e, "%s", ignored.message);
    return false;
}
