#include "core/hook/hook.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/proc.h"
#include "base/stop.h"
#include "core/hook/hook_env.h"

/* Of what a hook prints its beginning and its end are kept: an error is said last. */
enum { KEEP_HEAD = 1024, KEEP_TAIL = 3072 };

static const char *const names[] = {
#define X(symbol, name) name,
    HOOK_POINTS(X)
#undef X
};

const char *hook_point_name(enum hook_point point)
{
    return names[point];
}

static bool is_left_alone(const char *name)
{
    return name[0] == '.' || str_ends(name, "~") || str_ends(name, ".sample") ||
           str_starts(name, "README");
}

static struct strlist point_names(struct arena *a)
{
    struct strlist points = strlist_on(a);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        strlist_add(&points, names[i]);
    return points;
}

/* What is to be run at a point; a folder that is not there is an empty one. */
static bool list_point(struct arena *a, const struct settings *s, const char *point,
                       struct strlist *files, struct err *e)
{
    struct strlist found;
    const char *folder = fs_join(a, s->hooks_dir, point);
    *files = strlist_on(a);
    if (!fs_exists(folder))
        return true;
    if (!fs_list(a, folder, FS_ALL, &found, e))
        return err_wrap(e, "could not read the hooks");
    for (size_t i = 0; i < found.count; i++) {
        const char *path = fs_join(a, folder, found.items[i]);
        if (is_left_alone(found.items[i]))
            continue;
        if (!fs_is_executable(path)) {
            err_set(e, ERR_PREFLIGHT, "hook \"%s/%s\" cannot be run: it is no executable file",
                    point, found.items[i]);
            err_hint(e, "Run \"chmod +x %s\", or move it away, or let its name end in .sample.",
                     path);
            return false;
        }
        strlist_add(files, path);
    }
    return true;
}

/* Left alone are folders for other uses (git hooks, libraries of the hooks), but not a mistyped
 * point, nor a point that is a file. */
static bool check_name(struct arena *a, const struct settings *s, const char *name, struct err *e)
{
    struct strlist points = point_names(a);
    const char *path = fs_join(a, s->hooks_dir, name);
    const char *meant = arena_strndup(a, name, strcspn(name, "."));
    if (is_left_alone(name))
        return true;
    if (fs_is_dir(path)) {
        meant = nearest(&points, name);
        if (strlist_has(&points, name) ||
            (meant == NULL && !str_starts(name, "pre-") && !str_starts(name, "post-")))
            return true;
        err_set(e, ERR_PREFLIGHT, "folder \"%s\" in hooks-dir is no point of a run", name);
        if (meant != NULL)
            err_hint(e, "Perhaps \"%s\" is meant.", meant);
        else
            err_hint(e, "Points are: %s.", strlist_join(&points, ", "));
        return false;
    }
    if (!strlist_has(&points, meant))
        return true;
    err_set(e, ERR_PREFLIGHT, "\"%s\" is no folder, so it would not be run as a hook", path);
    err_hint(e, "Hooks of point \"%s\" are files in a folder of that name.", meant);
    return false;
}

bool hooks_check(struct arena *a, const struct settings *s, struct err *e)
{
    struct strlist found, files, told = strlist_on(a);
    if (s->hooks_dir == NULL)
        return true;
    if (!fs_is_dir(s->hooks_dir))
        return err_set(e, ERR_CONFIG, "setting \"hooks-dir\" names no folder: \"%s\"",
                       s->hooks_dir);
    if (!fs_list(a, s->hooks_dir, FS_ALL, &found, e))
        return err_wrap(e, "could not read the hooks");
    for (size_t i = 0; i < found.count; i++)
        if (!check_name(a, s, found.items[i], e))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!list_point(a, s, names[i], &files, e))
            return false;
        if (files.count > 0)
            strlist_printf(&told, "%s %zu", names[i], files.count);
    }
    if (told.count > 0)
        log_info("hooks in \"%s\": %s", s->hooks_dir, strlist_join(&told, ", "));
    return true;
}

/* One hook at work. */
struct hook {
    const char *name; /* "pre-backup/10-stop" */
    struct str head, tail;
    size_t dropped;
    char last[256]; /* its last line that is not empty */
};

/* Of a character of several bytes: nothing is cut there. */
static bool is_inside(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

static void keep(struct hook *h, const char *text)
{
    size_t n = strlen(text), room = KEEP_HEAD - h->head.length;
    if (h->tail.length == 0 && n < room) {
        str_add(&h->head, text);
        str_add(&h->head, "\n");
        return;
    }
    str_add(&h->tail, text);
    str_add(&h->tail, "\n");
    if (h->tail.length <= KEEP_TAIL)
        return;
    size_t drop = h->tail.length - KEEP_TAIL;
    while (is_inside(h->tail.text + drop))
        drop++;
    memmove(h->tail.text, h->tail.text + drop, h->tail.length - drop + 1);
    h->tail.length -= drop;
    h->dropped += drop;
}

/* Secrets are taken out of the whole line, before anything cuts it. */
static void take_line(void *context, const char *line)
{
    struct hook *h = context;
    AUTO(arena) struct arena *scratch = arena_new();
    size_t size = 3 * strlen(line) + 16;
    char *clean = arena_alloc(scratch, size);
    log_redact(line, clean, size);
    clean = str_printable(scratch, clean);
    log_info("hook %s: %s", h->name, clean);
    keep(h, clean);
    if (clean[strspn(clean, " \t")] == '\0')
        return;
    size_t n = strlen(clean) < sizeof(h->last) ? strlen(clean) : sizeof(h->last) - 1;
    while (n > 0 && is_inside(clean + n))
        n--;
    memcpy(h->last, clean, n);
    h->last[n] = '\0';
}

static const char *output_of(struct arena *a, const struct hook *h)
{
    if (h->dropped == 0)
        return arena_printf(a, "%s%s", h->head.text, h->tail.text);
    return arena_printf(a, "%s[%zu bytes are left out]\n%s", h->head.text, h->dropped,
                        h->tail.text);
}

static bool failed(struct arena *a, const struct hook *h, const struct settings *s,
                   const struct proc_result *result, struct err *e)
{
    struct err why = *e;
    if (why.kind == ERR_TIMEOUT)
        err_set(e, ERR_TIMEOUT, "hook \"%s\" ran longer than hook-timeout (%s) and was ended",
                h->name, clock_human_ms(a, s->hook_timeout_ms));
    else if (why.kind == ERR_CANCELLED)
        err_set(e, ERR_CANCELLED, "hook \"%s\" was ended: cancelled by %s", h->name,
                stop_signal_name());
    else if (why.kind != ERR_NONE)
        err_set(e, ERR_CHILD, "hook \"%s\" failed: %s", h->name, why.message);
    else if (result->signal != 0)
        err_set(e, ERR_CHILD, "hook \"%s\" was ended by signal %d", h->name, result->signal);
    else
        err_set(e, ERR_CHILD, "hook \"%s\" failed with exit status %d", h->name,
                result->exit_status);
    if (h->last[0] != '\0')
        err_detail(e, "Its last line: %s", h->last);
    return false;
}

static bool run_one(struct arena *a, const struct hook_run *run, enum hook_point point,
                    const char *file, struct err *e)
{
    const struct strlist env = hook_env(a, run, point);
    struct hook h = {.name = arena_printf(a, "%s/%s", names[point], fs_basename(file)),
                     .head = str_on(a),
                     .tail = str_on(a)};
    const struct proc_spec spec = {
        .argv = (const char *const[]){file, NULL},
        .env = env.items,
        .dir = run->settings->project,
        .timeout_ms = run->settings->hook_timeout_ms,
        .together = true,
        .line = take_line,
        .context = &h,
    };
    struct proc_result result;
    int64_t start = clock_ms();
    log_info("hook %s", h.name);
    bool ran = proc_run(a, &spec, &result, e);
    bool ok = (ran && result.exit_status == 0) || failed(a, &h, run->settings, &result, e);
    if (run->journal == NULL)
        return ok;
    struct json *data = json_object();
    struct err unwritten = {0};
    json_put(data, "point", names[point]);
    json_put(data, "file", fs_basename(file));
    json_put_int(data, "exit_status", result.exit_status);
    json_put_int(data, "elapsed_ms", clock_ms() - start);
    json_put(data, "output", output_of(a, &h));
    if (!journal_write(run->journal, "hook", ok ? "note" : "failed", data, ok ? NULL : e,
                       &unwritten)) {
        if (ok)
            *e = unwritten;
        else
            log_err_as(LOG_WARNING, &unwritten);
        return false;
    }
    return ok;
}

/* All of them, whatever becomes of each; *e is the first failure. */
static bool run_all(struct arena *a, const struct hook_run *run, enum hook_point point,
                    const struct strlist *files, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; i < files->count; i++) {
        struct err one = {0};
        if (run_one(a, run, point, files->items[i], &one))
            continue;
        if (ok)
            *e = one;
        else
            log_err_as(LOG_WARNING, &one);
        ok = false;
    }
    return ok;
}

static bool run_until_one_fails(struct arena *a, const struct hook_run *run, enum hook_point point,
                                const struct strlist *files, struct err *e)
{
    for (size_t i = 0; i < files->count; i++)
        if (!run_one(a, run, point, files->items[i], e))
            return false;
    return true;
}

bool hooks_run(struct arena *a, const struct hook_run *run, enum hook_point point, struct err *e)
{
    struct strlist files;
    if (run->settings->hooks_dir == NULL)
        return true;
    if (!list_point(a, run->settings, names[point], &files, e))
        return false;
    if (str_starts(names[point], "pre-"))
        return run_until_one_fails(a, run, point, &files, e);
    const bool shield = point == HOOK_POST_RESTORE || point == HOOK_END;
    if (shield)
        stop_shield(true);
    bool ok = run_all(a, run, point, &files, e);
    if (shield)
        stop_shield(false);
    return ok;
}
