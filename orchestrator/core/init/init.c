#include "core/init/init.h"

#include "base/fs.h"
#include "core/init/lines.h"
#include "core/init/npm_scripts.h"
#include "core/init/planning.h"
#include "ext/json.h"
#include "files/embedded.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4 * 1024 * 1024 };

/* --- the plan's files ------------------------------------------------------------------------- */

void plan_next(struct planning *p, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    strlist_add(&p->plan->next, arena_strdup(p->arena, text));
}

static struct init_file *add_file(struct planning *p, const char *path, const char *note)
{
    struct init_plan *plan = p->plan;
    assert(plan->count < ARRAY_LEN(plan->files));
    struct init_file *file = &plan->files[plan->count++];
    *file = (struct init_file){
        .path = fs_absolute(p->arena, path),
        .shown = fs_relative(p->arena, plan->folder, path),
        .note = note,
    };
    return file;
}

void plan_leave(struct planning *p, const char *path, const char *why)
{
    add_file(p, path, why);
}

/* Found out before the first file is written. */
static bool check_writable(struct arena *a, const char *path, struct err *e)
{
    const char *dir = fs_dirname(a, path);
    while (!fs_exists(dir))
        dir = fs_dirname(a, dir);
    if (access(dir, W_OK | X_OK) < 0)
        return err_sys(e, ERR_SYSTEM, "could not write in \"%s\"", dir);
    return fs_is_dir(dir) || err_set(e, ERR_SYSTEM, "\"%s\" is not a folder", dir);
}

bool plan_read(struct planning *p, const char *path, char **text, struct err *e)
{
    struct stat st;
    size_t length;
    *text = NULL;
    if (lstat(path, &st) < 0)
        return true;
    if (!fs_read(p->arena, path, FILE_MAX, text, &length, e))
        return false;
    return strlen(*text) == length || err_set(e, ERR_CONFIG, "\"%s\" is not a text", path);
}

bool plan_changed(struct planning *p, const char *path, const char *note, const char *before,
                  const char *text, struct err *e)
{
    struct init_file *file = add_file(p, path, note);
    file->before = before;
    file->text = text;
    file->mode = 0666;
    return check_writable(p->arena, file->path, e);
}

static const char *free_name(struct arena *a, const char *path)
{
    const char *name = arena_printf(a, "%s.bak", path);
    for (int i = 2; fs_exists(name); i++)
        name = arena_printf(a, "%s.bak%d", path, i);
    return name;
}

bool plan_whole(struct planning *p, const char *path, const char *note, const char *text,
                unsigned mode, struct err *e)
{
    char *before;
    if (!plan_read(p, path, &before, e))
        return false;
    if (before != NULL && strcmp(before, text) == 0) {
        plan_leave(p, path, "is up to date");
        return true;
    }
    if (before != NULL && !p->wish->force) {
        plan_leave(p, path, "exists, left as it is; --force writes it anew and keeps this one");
        return true;
    }
    if (!plan_changed(p, path, note, before, text, e))
        return false;
    struct init_file *file = &p->plan->files[p->plan->count - 1];
    file->mode = mode;
    if (before != NULL)
        file->keep = free_name(p->arena, file->path);
    return true;
}

static const char *in_folder(const struct planning *p, const char *name)
{
    return fs_join(p->arena, p->plan->folder, name);
}

/* --- settings --------------------------------------------------------------------------------- */

static void put_path(const struct planning *p, struct str *s, const char *key, const char *path)
{
    AUTO(json) struct json *j = json_object();
    bool below = str_starts(path, arena_printf(p->arena, "%s/", p->plan->folder));
    const char *seen = below ? fs_relative(p->arena, p->plan->folder, path) : path;
    json_put(j, "v", below ? arena_printf(p->arena, "./%s", seen) : seen);
    str_printf(s, ",\n  \"%s\": %s", key, json_text(p->arena, json_find(j, "v")));
}

/* What this project needs said, and the folder of the backups because everyone asks for it. */
static const char *settings_text(const struct planning *p)
{
    const struct settings *s = p->wish->settings;
    struct str text = str_on(p->arena);
    str_add(&text, "{\n  \"$schema\": \"./migsafe.schema.json\"");
    if (s->schema != NULL) {
        if (!str_same(fs_absolute(p->arena, s->project), p->plan->folder))
            put_path(p, &text, "project", fs_absolute(p->arena, s->project));
        put_path(p, &text, "schema", p->project.schema);
    } else if (!str_same(p->project.root, p->plan->folder)) {
        put_path(p, &text, "project", p->project.root);
    }
    const char *backups = s->from.backup_dir == FROM_FLAG ? s->backup_dir : in_folder(p, "backups");
    put_path(p, &text, "backup-dir", backups);
    str_add(&text, "\n}\n");
    return text.text;
}

static bool plan_settings(struct planning *p, struct err *e)
{
    const char *path = in_folder(p, "migsafe.json");
    const char *file = p->wish->settings->file;
    AUTO(json) struct json *schema = settings_schema(p->arena);
    if (file != NULL && !str_same(fs_absolute(p->arena, file), fs_absolute(p->arena, path)))
        plan_leave(p, path, arena_printf(p->arena, "the settings are in %s", file));
    else if (fs_exists(path))
        plan_leave(p, path, "exists, left as it is: settings are yours");
    else if (!plan_whole(p, path, "settings", settings_text(p), 0666, e))
        return false;
    return plan_whole(p, in_folder(p, "migsafe.schema.json"), "what editors complete settings by",
                      json_pretty(p->arena, schema), 0666, e);
}

/* --- npm -------------------------------------------------------------------------------------- */

static const char *package_note(const struct planning *p, const struct npm_scripts_result *r)
{
    struct str s = str_on(p->arena);
    if (r->added.count > 0)
        str_printf(&s, "npm scripts added: %s", strlist_join(&r->added, ", "));
    if (r->replaced.count > 0)
        str_printf(&s, "%snpm scripts replaced: %s", s.length > 0 ? "; " : "",
                   strlist_join(&r->replaced, ", "));
    if (r->left.count > 0)
        str_printf(&s, "%sleft as they are: %s; --force replaces them", s.length > 0 ? "; " : "",
                   strlist_join(&r->left, ", "));
    return s.text;
}

static bool plan_package(struct planning *p, struct err *e)
{
    static const char *const words[][2] = {
        {"prisma:migrate:prod", "deploy"}, {"prisma:status", "status"},
        {"prisma:rollback", "restore"},    {"migration:check", "health"},
        {"migration:deploy", "deploy"},    {"migration:backup", "backup"},
        {"migration:restore", "restore"},
    };
    struct arena *a = p->arena;
    struct npm_script scripts[ARRAY_LEN(words) + 1] = {0};
    struct npm_scripts_result r;
    const char *path = fs_join(a, p->project.root, "package.json");
    char *text;
    const char *config = "";
    if (!plan_read(p, path, &text, e))
        return false;
    if (text == NULL) {
        plan_leave(p, path, "there is none");
        return true;
    }
    /* npm runs scripts in the folder of package.json. */
    if (!str_same(p->project.root, p->plan->folder))
        config = arena_printf(a, " --config %s/migsafe.json",
                              fs_relative(a, p->project.root, p->plan->folder));
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        scripts[i].name = words[i][0];
        scripts[i].command = arena_printf(a, "migsafe %s%s", words[i][1], config);
    }
    if (!npm_scripts_put(a, text, scripts, p->wish->force, &r, e))
        return err_wrap(e, "could not read \"%s\"", path);
    const char *note = package_note(p, &r);
    if (r.text != text) {
        if (!plan_changed(p, path, note, text, r.text, e))
            return false;
        if (r.replaced.count > 0)
            p->plan->files[p->plan->count - 1].keep = free_name(a, fs_absolute(a, path));
    } else {
        plan_leave(p, path, r.left.count > 0 ? note : "has the npm scripts");
    }
    return true;
}

/* --- make, deploy.sh -------------------------------------------------------------------------- */

/* The one that make would read. */
static const char *makefile_path(const struct planning *p)
{
    static const char *const names[] = {"GNUmakefile", "makefile", "Makefile"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (fs_exists(in_folder(p, names[i])))
            return in_folder(p, names[i]);
    return in_folder(p, "Makefile");
}

/* db.mk's PROJECT and SCHEMA, where its defaults do not do. */
static const char *makefile_lines(const struct planning *p)
{
    struct arena *a = p->arena;
    struct str s = str_on(a);
    if (!str_same(p->project.root, p->plan->folder))
        str_printf(&s, "PROJECT ?= %s\n", fs_relative(a, p->plan->folder, p->project.root));
    if (p->wish->settings->schema != NULL)
        str_printf(&s, "SCHEMA ?= %s\n", fs_relative(a, p->project.root, p->project.schema));
    str_add(&s, "include scripts/db.mk\n");
    return s.text;
}

/* NULL: nothing. */
static const char *in_the_way(const struct planning *p, const char *makefile)
{
    static const char *const variables[] = {"PROJECT", "SCHEMA", "MIGSAFE", "COMPOSE"};
    struct strlist both = make_common_targets(p->arena, makefile, file_scripts_db_mk);
    if (both.count > 0)
        return arena_printf(p->arena,
                            "has targets of its own: %s; to have these, put `include "
                            "scripts/db.mk` in their place",
                            strlist_join(&both, ", "));
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        if (make_assigns(p->arena, makefile, variables[i]))
            return arena_printf(p->arena,
                                "sets %s, which scripts/db.mk reads: see there, then add "
                                "`include scripts/db.mk`",
                                variables[i]);
    return NULL;
}

static bool plan_make(struct planning *p, struct err *e)
{
    const char *path = makefile_path(p);
    char *text;
    if (!plan_whole(p, in_folder(p, "scripts/db.mk"), "make targets; make db-help lists them",
                    file_scripts_db_mk, 0666, e) ||
        !plan_read(p, path, &text, e))
        return false;
    const char *before = text == NULL ? "" : text, *why = in_the_way(p, before);
    if (make_includes(p->arena, before, "scripts/db.mk")) {
        plan_leave(p, path, "includes scripts/db.mk");
    } else if (why != NULL) {
        plan_leave(p, path, why);
    } else {
        return plan_changed(p, path, "include scripts/db.mk", text,
                            make_with(p->arena, before, makefile_lines(p)), e);
    }
    return true;
}

static bool plan_deploy_sh(struct planning *p, struct err *e)
{
    static const char *const names[] = {"compose.yaml", "compose.yml", "docker-compose.yaml",
                                        "docker-compose.yml"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (fs_exists(in_folder(p, names[i])))
            return plan_whole(p, in_folder(p, "deploy.sh"), "deploys with docker compose",
                              file_deploy_sh, 0777, e);
    plan_leave(p, in_folder(p, "deploy.sh"), "not written: there is no compose file here");
    return true;
}

/* --- what git and docker are to leave alone --------------------------------------------------- */

/* The folder of the backups, where it lies in the project, and what make db-backup writes. */
static struct strlist things_to_ignore(struct planning *p)
{
    const struct settings *s = p->wish->settings;
    bool given = s->from.backup_dir == FROM_FLAG || s->from.backup_dir == FROM_FILE;
    const char *seen = given ? fs_relative(p->arena, p->plan->folder, s->backup_dir) : "backups";
    struct strlist lines = strlist_on(p->arena);
    if (!str_starts(seen, "..") && strcmp(seen, ".") != 0)
        strlist_printf(&lines, "%s%s/", strchr(seen, '/') == NULL ? "" : "/", seen);
    strlist_add(&lines, "backup_*.sql");
    return lines;
}

static bool plan_ignore(struct planning *p, const char *name, struct err *e)
{
    const struct strlist wanted = things_to_ignore(p);
    struct strlist added = strlist_on(p->arena);
    char *before;
    if (!plan_read(p, in_folder(p, name), &before, e))
        return false;
    const char *text = before == NULL ? "" : before;
    for (size_t i = 0; i < wanted.count; i++)
        if (!ignore_names(p->arena, text, wanted.items[i])) {
            text = lines_with(p->arena, text, wanted.items[i]);
            strlist_add(&added, wanted.items[i]);
        }
    if (added.count == 0) {
        plan_leave(p, in_folder(p, name),
                   arena_printf(p->arena, "has %s", strlist_join(&wanted, ", ")));
        return true;
    }
    const char *note = arena_printf(p->arena, "added: %s", strlist_join(&added, ", "));
    return plan_changed(p, in_folder(p, name), note, before, text, e);
}

static bool plan_ignores(struct planning *p, struct err *e)
{
    if (p->top != NULL && !plan_ignore(p, ".gitignore", e))
        return false;
    if (fs_exists(in_folder(p, ".dockerignore")))
        return plan_ignore(p, ".dockerignore", e);
    if (fs_exists(in_folder(p, "Dockerfile")))
        plan_next(p, "Write backups/ and backup_*.sql into a .dockerignore, so that no backup gets "
                     "into an image.");
    return true;
}

/* ---------------------------------------------------------------------------------------------- */

static const char *git_root(struct arena *a, const char *from)
{
    for (const char *dir = from;; dir = fs_dirname(a, dir)) {
        if (fs_exists(fs_join(a, dir, ".git")))
            return dir;
        if (str_same(dir, "/"))
            return NULL;
    }
}

/* Else whoever looks for the schema says it in his own way, and with another status. */
static bool check_package(struct planning *p, struct err *e)
{
    const char *path = fs_join(p->arena, p->wish->settings->project, "package.json");
    struct npm_scripts_result ignored;
    const struct npm_script none[] = {{NULL, NULL}};
    char *text;
    if (!plan_read(p, path, &text, e))
        return false;
    return text == NULL || npm_scripts_put(p->arena, text, none, false, &ignored, e) ||
           err_wrap(e, "could not read \"%s\"", path);
}

static bool find_place(struct planning *p, struct err *e)
{
    const struct settings *s = p->wish->settings;
    struct arena *a = p->arena;
    if (!check_package(p, e) || !prisma_project_find(a, s->project, s->schema, &p->project, e))
        return false;
    const char *here = fs_absolute(a, "."), *root = p->project.root;
    bool below = str_same(here, root) || str_same(here, "/") ||
                 str_starts(root, arena_printf(a, "%s/", here));
    p->plan->folder = below ? here : root;
    p->top = git_root(a, p->plan->folder);
    return true;
}

bool init_plan(struct arena *a, const struct init_wish *wish, struct init_plan *plan, struct err *e)
{
    struct planning p = {.arena = a, .wish = wish, .plan = plan};
    *plan = (struct init_plan){.next = strlist_on(a)};
    if (!find_place(&p, e))
        return false;
    plan_first_steps(&p);
    if (!plan_settings(&p, e) || !plan_package(&p, e) || !plan_make(&p, e) ||
        !plan_deploy_sh(&p, e) || !plan_ci(&p, e) || !plan_ignores(&p, e))
        return false;
    plan_next(&p,
              "Webhook, hooks, retention, what a deploy may lose: migsafe.json; `migsafe settings` "
              "lists every setting (docs/SETTINGS.md), programs in hooks/ run around a deploy "
              "(docs/HOOKS.md).");
    return true;
}
