#include "core/gate/gate_history.h"

#include "core/gate/gate_git.h"
#include "core/health/health_check.h"
#include "core/prisma/checksum.h"

struct rule {
    const char *name, *finds, *advice;
    enum finding_level level;
};

enum {
    NO_BASELINE,
    SEVERAL_LEDGERS,
    PRISMA_8,
    CHANGED,
    DELETED,
    BEHIND,
    UNCOMMITTED,
    NO_REPOSITORY,
    NO_MERGE_BASE,
    STAND_IN_BEHIND,
};

static const struct rule rules[] = {
    [NO_BASELINE] = {"no-baseline",
                     "a schema with tables but no ledger: a deploy is refused (P3005)",
                     "Tell Prisma what is there: `prisma migrate resolve --applied NAME`, for each "
                     "migration that is.",
                     FINDING_ERROR},
    [SEVERAL_LEDGERS] = {"several-ledgers",
                         "ledgers in several schemas, and a URL that does not say which counts",
                         "Add ?schema=... to the URL.", FINDING_ERROR},
    [PRISMA_8] = {"prisma-8", "a database of Prisma 8, which has no `migrate deploy`",
                  "Use Prisma 8's own commands for it.", FINDING_ERROR},
    [CHANGED] = {"changed-migration",
                 "a migration that differs from what the base, or HEAD, has under its name",
                 "Put it back and make a new migration for the change; commit it where no database "
                 "has it yet.",
                 FINDING_WARNING},
    [DELETED] = {"deleted-migration",
                 "a migration that the base, or HEAD, has and the folder lacks",
                 "Bring its folder back: databases that have applied it would miss it.",
                 FINDING_WARNING},
    [BEHIND] = {"behind-base", "a new migration that is older than the newest of the base",
                "Give its folder a newer name, if no database has it yet.", FINDING_WARNING},
    [UNCOMMITTED] = {"uncommitted-migration", "a migration that is in no commit",
                     "Commit it, so that what was deployed can be found again.", FINDING_WARNING},
    [NO_REPOSITORY] = {"no-repository",
                       "no .git, one without commits, or one of something else: nothing to compare "
                       "with",
                       "Work in a checkout, or, where there is none by intention, allow "
                       "no-repository:*.",
                       FINDING_WARNING},
    [NO_MERGE_BASE] = {"no-merge-base",
                       "a clone that lacks the commit where the branch left its base: the base's "
                       "tip is compared",
                       "Fetch the whole history: `git fetch --unshallow`, \"fetch-depth: 0\".",
                       FINDING_WARNING},
    [STAND_IN_BEHIND] =
        {"stand-in-behind",
         "a stand-in database that lacks migrations of the base: nothing is counted "
         "in it",
         "Deploy the base to it before.", FINDING_WARNING},
};

struct comparing {
    struct arena *arena;
    const struct gate_context *c;
    const struct gate_git *git;
    struct findings *found;
    struct strlist *pending;
};

static void add(struct comparing *r, size_t rule, const char *target, const char *message)
{
    findings_add(r->found, (struct finding){.rule = rules[rule].name,
                                            .level = rules[rule].level,
                                            .target = target,
                                            .message = message,
                                            .advice = rules[rule].advice});
}

static void add_of(struct comparing *r, size_t rule, const struct migration *m, size_t line,
                   const char *message)
{
    add(r, rule, m->name, message);
    struct finding *item = &r->found->items[r->found->count - 1];
    item->file = m->sql == NULL ? NULL : m->path;
    item->line = m->sql == NULL ? 0 : line;
}

/* --- what the ledger says ------------------------------------------------------------------- */

static bool is_ledger_rule(const struct health_check *check)
{
    return check->run == check_history && strcmp(check->id, "pending-migration") != 0;
}

static enum finding_level level_of(const struct health_check *check)
{
    return strcmp(check->id, "scriptless-migration") == 0 ? FINDING_ERROR : check->level;
}

static void add_ledger_rule(struct comparing *r, const struct health_check *check,
                            const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct migration *m = migration_find(r->c->folder, names->items[i]);
        bool has_file = m != NULL && m->sql != NULL;
        findings_add(r->found, (struct finding){.rule = check->id,
                                                .level = level_of(check),
                                                .target = names->items[i],
                                                .message = check->message,
                                                .advice = check->advice,
                                                .file = has_file ? m->path : NULL,
                                                .line = has_file ? 1 : 0});
    }
}

static void judge_ledger(struct comparing *r)
{
    const struct prisma_state *state = r->c->state;
    for (size_t i = 0; i < health_check_count; i++) {
        const struct health_check *check = &health_checks[i];
        if (is_ledger_rule(check))
            add_ledger_rule(r, check, (const void *)((const char *)&state->history + check->names));
    }
    if (state->outlook == OUTLOOK_UNCLEAR)
        add(r, SEVERAL_LEDGERS, "database", state->summary);
    else if (state->ledgers.prisma8)
        add(r, PRISMA_8, "database", state->summary);
    else if (str_same(state->code, "P3005"))
        add(r, NO_BASELINE, "database", state->summary);
}

/* --- what git says -------------------------------------------------------------------------- */

/* The first line that differs, whatever ends the lines. */
static size_t first_difference(const char *a, const char *b)
{
    size_t line = 1;
    for (;; a++, b++) {
        while (*a == '\r')
            a++;
        while (*b == '\r')
            b++;
        if (*a != *b || *a == '\0')
            return line;
        line += *a == '\n';
    }
}

/* As Prisma compares, and allow lines may have come or gone.  What is not in this clone is not what
 * is checked out. */
static bool is_same(const struct comparing *r, const struct migration *m, const char *id,
                    size_t *line)
{
    AUTO(arena) struct arena *scratch = arena_new();
    const char *bytes;
    size_t length;
    struct err ignored = {0};
    *line = 1;
    if (!repo_content(scratch, r->git->repo, id, &bytes, &length, &ignored))
        return false;
    *line = first_difference(bytes, m->sql);
    return script_checksum_matches(m->sql, m->length, script_checksum(scratch, bytes, length)) ||
           script_checksum_matches(bytes, length, m->checksum);
}

/* A ledger says it better - but of a stand-in's database what is applied means little. */
static bool is_said(const struct comparing *r, const char *name)
{
    const struct prisma_state *state = r->c->state;
    if (state == NULL)
        return false;
    return strlist_has(&state->history.edited, name) ||
           strlist_has(&state->history.missing, name) ||
           (r->c->base == NULL && strlist_has(&state->history.applied, name));
}

static void judge_changed(struct comparing *r, const struct migration *m)
{
    size_t line;
    const char *id = gate_git_script(&r->git->then, m->name);
    if (id == NULL || m->sql == NULL || is_said(r, m->name) || is_same(r, m, id, &line))
        return;
    add_of(r, CHANGED, m, line, arena_printf(r->arena, "differs from what %s has", r->git->name));
}

static bool is_new(const struct comparing *r, const struct migration *m)
{
    return gate_git_script(&r->git->then, m->name) == NULL &&
           gate_git_script(&r->git->tip, m->name) == NULL;
}

static void judge_behind(struct comparing *r, const struct migration *m, const char *newest)
{
    const struct prisma_state *state = r->c->state;
    bool said = state != NULL && strlist_has(&state->history.out_of_order, m->name);
    if (r->c->base == NULL || newest == NULL || said || !is_new(r, m) ||
        migration_order(m->name, newest) > 0)
        return;
    add_of(r, BEHIND, m, 1,
           arena_printf(r->arena, "older than \"%s\", which %s has already", newest, r->git->name));
}

static void judge_uncommitted(struct comparing *r, const struct migration *m)
{
    if (m->sql != NULL && gate_git_script(&r->git->head, m->name) == NULL)
        add_of(r, UNCOMMITTED, m, 1, "in no commit");
}

static const char *renamed_to(const struct comparing *r, const char *id)
{
    size_t line;
    for (size_t i = 0; i < r->c->folder->count; i++) {
        const struct migration *m = &r->c->folder->items[i];
        if (m->sql != NULL && is_new(r, m) && is_same(r, m, id, &line))
            return m->name;
    }
    return NULL;
}

static void judge_deleted(struct comparing *r)
{
    const struct repo_files *then = &r->git->then;
    for (size_t i = 0; i < then->count; i++) {
        const char *name = then->items[i].path;
        const struct migration *m = migration_find(r->c->folder, name);
        if ((m != NULL && m->sql != NULL) || is_said(r, name))
            continue;
        const char *to = renamed_to(r, then->items[i].id);
        add(r, DELETED, name,
            to == NULL ? arena_printf(r->arena, "%s has it, the folder lacks it", r->git->name)
                       : arena_printf(r->arena, "%s has it, the folder has its script as \"%s\"",
                                      r->git->name, to));
    }
}

static const char *newest_of(const struct repo_files *scripts)
{
    const char *newest = NULL;
    for (size_t i = 0; i < scripts->count; i++)
        if (newest == NULL || migration_order(scripts->items[i].path, newest) > 0)
            newest = scripts->items[i].path;
    return newest;
}

/* One word for all, where the folder is not meant to be committed. */
static bool is_ignored(struct comparing *r)
{
    const struct gate_git *git = r->git;
    if (git->head.count > 0 || !repo_ignores(git->repo, arena_printf(r->arena, "%s/", git->folder)))
        return false;
    add(r, UNCOMMITTED, git->folder, "the whole folder is in no commit: .gitignore leaves it out");
    return true;
}

static void judge_git(struct comparing *r)
{
    const char *newest = newest_of(&r->git->tip);
    if (r->git->missing != NULL) {
        add(r, NO_REPOSITORY, "project", r->git->missing);
        return;
    }
    if (r->git->by_tip)
        add(r, NO_MERGE_BASE, r->git->name, "compared with its tip: no common commit is here");
    bool ignored = is_ignored(r);
    for (size_t i = 0; i < r->c->folder->count; i++) {
        const struct migration *m = &r->c->folder->items[i];
        judge_changed(r, m);
        judge_behind(r, m, newest);
        if (!ignored)
            judge_uncommitted(r, m);
    }
    judge_deleted(r);
}

/* --- what is pending ------------------------------------------------------------------------- */

static void find_pending(struct comparing *r)
{
    const struct health_check *scriptless = NULL;
    struct strlist names = strlist_on(r->arena);
    for (size_t i = 0; i < health_check_count; i++)
        if (strcmp(health_checks[i].id, "scriptless-migration") == 0)
            scriptless = &health_checks[i];
    for (size_t i = 0; i < r->c->folder->count; i++) {
        const struct migration *m = &r->c->folder->items[i];
        if (r->git->missing == NULL && !is_new(r, m))
            continue;
        strlist_add(r->pending, m->name);
        if (m->sql == NULL)
            strlist_add(&names, m->name);
    }
    if (scriptless != NULL)
        add_ledger_rule(r, scriptless, &names);
}

/* What the base has is not this branch's to answer for, whether the stand-in has it or not. */
static void take_pending(struct comparing *r)
{
    const struct strlist *pending = &r->c->state->history.pending;
    for (size_t i = 0; i < pending->count; i++) {
        const struct migration *m = migration_find(r->c->folder, pending->items[i]);
        if (r->c->base == NULL || m == NULL || is_new(r, m))
            strlist_add(r->pending, pending->items[i]);
    }
    size_t lacking = pending->count - r->pending->count;
    if (lacking > 0)
        add(r, STAND_IN_BEHIND, "database",
            arena_printf(r->arena, "lacks %s of %s",
                         str_plural(r->arena, (int64_t)lacking, "migration", "migrations"),
                         r->git->name));
}

static void judge(struct comparing *r)
{
    if (r->c->state == NULL)
        find_pending(r);
    else {
        take_pending(r);
        judge_ledger(r);
    }
    judge_git(r);
}

bool gate_history(struct arena *a, const struct gate_context *c, struct findings *found,
                  struct strlist *pending, struct err *e)
{
    struct gate_git git;
    struct comparing r = {.arena = a, .c = c, .git = &git, .found = found, .pending = pending};
    *pending = strlist_on(a);
    bool ok = gate_git_read(a, c->project, c->base, &git, e);
    if (ok)
        judge(&r);
    gate_git_close(&git);
    return ok;
}

void gate_history_list(FILE *to)
{
    for (size_t i = 0; i < health_check_count; i++)
        if (is_ledger_rule(&health_checks[i]))
            fprintf(to, "| %s | %s | %s | %s |\n", health_checks[i].id,
                    finding_level_name(level_of(&health_checks[i])), health_checks[i].finds,
                    health_checks[i].advice);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        fprintf(to, "| %s | %s | %s | %s |\n", rules[i].name, finding_level_name(rules[i].level),
                rules[i].finds, rules[i].advice);
}
