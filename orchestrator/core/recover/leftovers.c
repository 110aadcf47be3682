#include "core/recover/leftovers.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/backup/store.h"
#include "core/restore/side.h"

/* As drill.c, rollback.c and the rehearsal call them. */
static const char *const purposes[] = {"restore", "rehearsal", "standby",   "verify",
                                       "drill",   "drill_old", "drill_kept"};

struct clearing {
    struct arena *arena;
    const struct leftovers_spec *spec;
    struct strlist *cleared;
    struct err *first;
    bool only_named; /* nothing is dropped */
};

static void failed(struct clearing *c, const struct err *e)
{
    if (c->first->kind == ERR_NONE)
        *c->first = *e;
}

static void drop(struct clearing *c, const char *name)
{
    struct err e = {0};
    if (strcmp(name, c->spec->live) == 0)
        return;
    if (c->only_named || side_drop(c->arena, c->spec->maintenance, name, &e))
        strlist_printf(c->cleared, "database %s", name);
    else
        failed(c, &e);
}

/* Whoever gives one a name of his own has taken it over, whatever its mark still says. */
static bool is_taken_over(const struct side_database *d)
{
    if (strstr(d->name, "__migsafe_") != NULL)
        return false;
    log_warning("database \"%s\" has the mark of run %s, but a name of somebody's own: left alone",
                d->name, d->run);
    return true;
}

static void drop_marked(struct clearing *c)
{
    struct side_database *items;
    size_t count = 0;
    struct err e = {0};
    if (!side_list(c->arena, c->spec->maintenance, NULL, &items, &count, &e)) {
        failed(c, &e);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].run, c->spec->past->run) == 0 &&
            strcmp(items[i].purpose, "kept") != 0 && !is_taken_over(&items[i]))
            drop(c, items[i].name);
}

/* Marked or not yet, or not any more. */
static void drop_named(struct clearing *c, const char *run)
{
    struct arena *a = c->arena;
    for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
        struct pg_rows rows;
        struct err e = {0};
        const char *name = side_name(a, c->spec->live, purposes[i], run);
        if (!pg_query(a, c->spec->maintenance, "SELECT FROM pg_database WHERE datname = $1",
                      PG_ARGS(name), &rows, &e))
            failed(c, &e);
        else if (rows.count > 0)
            drop(c, name);
    }
}

static void remove_folder(struct clearing *c, const char *path)
{
    struct err e = {0};
    if (!fs_exists(path))
        return;
    if (fs_remove_tree(c->arena, path, &e))
        strlist_printf(c->cleared, "folder %s", path);
    else
        failed(c, &e);
}

/* A file that was being written aside: NAME.tmpPID (base/fs.c). */
static bool is_unfinished(const char *name)
{
    const char *end = strstr(name, ".tmp");
    return end != NULL && end[4] != '\0' && end[4 + strspn(end + 4, "0123456789")] == '\0';
}

static void remove_unfinished(struct clearing *c, const char *folder)
{
    struct err e = {0};
    struct strlist names;
    if (!fs_is_dir(folder))
        return;
    if (!fs_list(c->arena, folder, FS_FILES, &names, &e))
        failed(c, &e);
    for (size_t i = 0; e.kind == ERR_NONE && i < names.count; i++)
        if (is_unfinished(names.items[i]) &&
            !fs_remove_tree(c->arena, fs_join(c->arena, folder, names.items[i]), &e))
            failed(c, &e);
}

static void remove_folders(struct clearing *c)
{
    struct arena *a = c->arena;
    struct err e = {0};
    const struct leftovers_spec *s = c->spec;
    if (!fs_remove_tree(a, fs_join(a, s->run_folder, "drill"), &e))
        failed(c, &e);
    remove_folder(c, fs_join(a, s->settings->state_dir, arena_printf(a, "drill_%s", s->past->run)));
    remove_unfinished(c, s->run_folder);
    if (s->past->backup != NULL)
        remove_unfinished(c, fs_join(a, s->settings->backup_dir, s->past->backup));
    const struct store_dead dead = {
        .database = s->live,
        .began_at =
            s->past->started_at == NULL ? INT64_MAX : clock_parse_rfc3339(s->past->started_at),
    };
    if (fs_is_dir(s->settings->backup_dir) && !store_sweep(a, s->settings->backup_dir, &dead, &e))
        failed(c, &e);
}

bool leftovers_clear(struct arena *a, const struct leftovers_spec *spec, struct strlist *cleared,
                     struct err *e)
{
    struct err first = {0};
    struct clearing c = {.arena = a, .spec = spec, .cleared = cleared, .first = &first};
    *cleared = strlist_on(a);
    drop_marked(&c);
    drop_named(&c, spec->past->run);
    remove_folders(&c);
    if (first.kind == ERR_NONE)
        return true;
    *e = first;
    return err_wrap(e, "could not clean up after run %s", spec->past->run);
}

static bool has_ended(struct arena *a, const char *state_dir, const char *run)
{
    struct journal_run j;
    struct err unreadable = {0};
    if (!journal_read(a, state_dir, run, &j, &unreadable))
        return false;
    bool ended = j.verdict != NULL && (strcmp(j.verdict, "broken") != 0 || j.decision != NULL);
    json_free(j.records);
    return ended;
}

/* Few databases are there, and of few runs: journals are read for those only. */
static bool is_named(const struct pg_rows *databases, const char *run)
{
    for (size_t i = 0; i < databases->count; i++)
        if (strstr(pg_cell(databases, i, "datname"), run) != NULL)
            return true;
    return false;
}

bool leftovers_of_ended(struct arena *a, const struct leftovers_spec *spec, bool dry_run,
                        struct strlist *cleared, struct err *e)
{
    struct pg_rows beside;
    struct strlist runs;
    struct err first = {0};
    struct clearing c = {
        .arena = a, .spec = spec, .cleared = cleared, .first = &first, .only_named = dry_run};
    const char *state_dir = spec->settings->state_dir;
    *cleared = strlist_on(a);
    if (!pg_query(a, spec->maintenance,
                  "SELECT datname FROM pg_database WHERE datname ~ '__migsafe_'", PG_NONE, &beside,
                  e) ||
        !journal_list(a, state_dir, &runs, e))
        return false;
    for (size_t i = 0; i < runs.count; i++)
        if (is_named(&beside, runs.items[i]) && has_ended(a, state_dir, runs.items[i]))
            drop_named(&c, runs.items[i]);
    if (first.kind != ERR_NONE)
        log_err_as(LOG_WARNING, &first);
    return true;
}

bool leftovers_strange(struct arena *a, const struct leftovers_spec *spec, struct strlist *strange,
                       struct err *e)
{
    struct side_database *items;
    struct strlist runs;
    size_t count;
    *strange = strlist_on(a);
    if (!journal_list(a, spec->settings->state_dir, &runs, e) ||
        !side_list(a, spec->maintenance, spec->live, &items, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].purpose, "kept") != 0 && !strlist_has(&runs, items[i].run))
            strlist_printf(strange, "%s (%s, made at %s): %s", items[i].name, items[i].purpose,
                           items[i].made_at, side_drop_command(a, items[i].name));
    return true;
}
