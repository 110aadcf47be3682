#include "core/prisma/project.h"

#include "base/fs.h"
#include "ext/json.h"

enum { PACKAGE_MAX = 4 * 1024 * 1024, FIRST_REFUSED_MAJOR = 8 };

static bool is_on_path(struct arena *a, const char *program)
{
    const char *path = getenv("PATH");
    char *copy = arena_strdup(a, path == NULL ? "" : path), *save = NULL;
    for (char *dir = strtok_r(copy, ":", &save); dir != NULL; dir = strtok_r(NULL, ":", &save))
        if (fs_is_executable(fs_join(a, dir, program)))
            return true;
    return false;
}

/* Name and version of a package.json; both NULL when there is no such file. */
static bool read_package(struct arena *a, const char *path, const char **name, const char **version,
                         struct err *e)
{
    char *text;
    size_t length;
    *name = *version = NULL;
    if (!fs_is_file(path))
        return true;
    if (!fs_read(a, path, PACKAGE_MAX, &text, &length, e))
        return false;
    AUTO(json) struct json *package = json_parse(text, length, e);
    if (package == NULL)
        return err_wrap(e, "could not read \"%s\"", path);
    *name = arena_strdup(a, json_str(package, "name", ""));
    *version = arena_strdup(a, json_str(package, "version", ""));
    return true;
}

static void set_cli(struct arena *a, struct prisma_project *p, const char *first,
                    const char *second, const char *version)
{
    const char **argv = arena_array(a, 3, sizeof(*argv));
    argv[0] = first;
    argv[1] = second;
    p->cli = argv;
    p->version = version;
    p->major = (int)strtol(version, NULL, 10);
}

static bool too_new(const char *version)
{
    return strtol(version, NULL, 10) >= FIRST_REFUSED_MAJOR;
}

static bool refuse(const char *version, struct err *e)
{
    err_set(e, ERR_PREFLIGHT, "Prisma %s has no \"migrate deploy\"", version);
    err_detail(e, "Prisma 8 keeps its migrations and its record of them in another form.");
    err_hint(e, "migsafe works with Prisma 5 to 7: pin prisma@7, or add @prisma/prisma7 beside 8.");
    return false;
}

/* Of the package that a file belongs to; "unknown" when it is in none of Prisma's. */
static bool version_of_file(struct arena *a, const char *file, const char **version, struct err *e)
{
    const char *name, *found;
    const char *dir = fs_dirname(a, fs_absolute(a, file));
    for (;; dir = fs_dirname(a, dir)) {
        if (!read_package(a, fs_join(a, dir, "package.json"), &name, &found, e))
            return false;
        if (found != NULL && (str_same(name, "prisma") || str_same(name, "@prisma/prisma7"))) {
            *version = found;
            return true;
        }
        if (str_same(dir, "/") || str_same(fs_basename(dir), "node_modules"))
            break;
    }
    *version = "unknown";
    return true;
}

/* --- the setting --------------------------------------------------------------------------------
 */

static bool is_script(const char *path)
{
    return str_ends(path, ".js") || str_ends(path, ".cjs") || str_ends(path, ".mjs");
}

static bool use_setting(struct arena *a, const char *prisma, struct prisma_project *p,
                        struct err *e)
{
    const char *path = fs_absolute(a, prisma), *version = "unknown";
    bool script = is_script(prisma), on_path = !script && strchr(prisma, '/') == NULL;
    if (on_path && !is_on_path(a, prisma))
        return err_set(e, ERR_CHILD, "there is no program \"%s\" on PATH", prisma);
    if (on_path) {
        set_cli(a, p, prisma, NULL, version);
        return true;
    }
    if (!fs_exists(path))
        path = fs_join(a, p->root, prisma);
    if (script ? !fs_is_file(path) : !fs_is_executable(path)) {
        err_set(e, ERR_CHILD, "there is no Prisma CLI \"%s\"", path);
        err_hint(e, "The setting prisma is a program, or a .js file that is run with node.");
        return false;
    }
    if (!version_of_file(a, path, &version, e))
        return false;
    if (script)
        set_cli(a, p, "node", path, version);
    else
        set_cli(a, p, path, NULL, version);
    return true;
}

/* --- node_modules -------------------------------------------------------------------------------
 */

struct cli_package {
    const char *folder, *script; /* below node_modules, below the folder */
};
static const struct cli_package usual = {"prisma", "build/index.js"};
static const struct cli_package beside_8 = {"@prisma/prisma7", "build/prisma7.js"};

/* *version: NULL when the package is not there. */
static bool try_package(struct arena *a, const char *modules, const struct cli_package *package,
                        struct prisma_project *p, const char **version, struct err *e)
{
    const char *name;
    const char *folder = fs_join(a, modules, package->folder);
    const char *path = fs_join(a, folder, package->script);
    if (!read_package(a, fs_join(a, folder, "package.json"), &name, version, e))
        return false;
    if (*version != NULL && !too_new(*version) && fs_is_file(path))
        set_cli(a, p, "node", path, *version);
    return true;
}

/* refused: the nearest prisma's version when that is too new.  What is above it is not the
 * project's own then, but for @prisma/prisma7. */
static bool try_folder(struct arena *a, const char *modules, struct prisma_project *p,
                       const char **refused, struct err *e)
{
    const char *version = NULL, *seven, *program = fs_join(a, modules, ".bin/prisma");
    if (*refused == NULL && !try_package(a, modules, &usual, p, &version, e))
        return false;
    if (p->cli == NULL && !try_package(a, modules, &beside_8, p, &seven, e))
        return false;
    if (version != NULL && too_new(version))
        *refused = version;
    if (p->cli != NULL || *refused != NULL || !fs_is_executable(program))
        return true;
    if (version == NULL && !version_of_file(a, program, &version, e))
        return false;
    set_cli(a, p, program, NULL, version);
    return true;
}

static bool find_in_modules(struct arena *a, struct prisma_project *p, struct err *e)
{
    const char *refused = NULL;
    for (const char *dir = p->root; p->cli == NULL; dir = fs_dirname(a, dir)) {
        if (!try_folder(a, fs_join(a, dir, "node_modules"), p, &refused, e))
            return false;
        if (str_same(dir, "/"))
            break;
    }
    if (p->cli != NULL)
        return true;
    if (refused != NULL)
        return refuse(refused, e);
    err_set(e, ERR_CHILD, "there is no Prisma CLI in node_modules of \"%s\" or above", p->root);
    err_hint(e, "Run npm ci there, or name the CLI by the setting prisma.");
    return false;
}

bool prisma_project_cli(struct arena *a, const char *prisma, struct prisma_project *p,
                        struct err *e)
{
    p->cli = NULL;
    if (prisma != NULL ? !use_setting(a, prisma, p, e) : !find_in_modules(a, p, e))
        return false;
    if (too_new(p->version))
        return refuse(p->version, e);
    if (p->cli[1] != NULL && !is_on_path(a, "node")) {
        err_set(e, ERR_CHILD, "there is no program \"node\" on PATH");
        err_hint(e, "Prisma's CLI needs Node.js.");
        return false;
    }
    return true;
}
