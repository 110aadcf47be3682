#include "core/prisma/project.h"

#include "base/fs.h"
#include "core/prisma/sources.h"
#include "ext/json.h"

enum { PACKAGE_MAX = 4 * 1024 * 1024, SCHEMA_DEPTH_MAX = 8 };

/* --- where the project is -----------------------------------------------------------------------
 */

/* From `from` up to `top`, or to "/" when top is not above it.  NULL: no package.json there. */
static const char *package_folder(struct arena *a, const char *from, const char *top)
{
    for (const char *dir = from;; dir = fs_dirname(a, dir)) {
        if (fs_is_file(fs_join(a, dir, "package.json")))
            return dir;
        if (str_same(dir, top) || str_same(dir, "/"))
            return NULL;
    }
}

static bool find_root(struct arena *a, const char *project, const char *schema,
                      struct prisma_project *p, struct err *e)
{
    p->root = fs_absolute(a, project);
    if (!fs_is_dir(p->root)) {
        err_set(e, ERR_NOT_FOUND, "there is no project folder \"%s\"", p->root);
        err_hint(e, "Name the folder with package.json by --project.");
        return false;
    }
    if (schema == NULL)
        return true;
    p->schema = fs_absolute(a, fs_join(a, p->root, schema));
    if (!fs_exists(p->schema)) {
        err_set(e, ERR_NOT_FOUND, "there is no schema \"%s\"", p->schema);
        err_hint(e, "Name the schema, or its folder, by --schema.");
        return false;
    }
    const char *from = fs_is_dir(p->schema) ? p->schema : fs_dirname(a, p->schema);
    const char *root = package_folder(a, from, p->root);
    p->root = root == NULL ? p->root : root;
    return true;
}

/* --- prisma.config.* ----------------------------------------------------------------------------
 */

static const char *find_config(struct arena *a, const char *root)
{
    static const char *const names[] = {"prisma7.config", ".config/prisma7", "prisma.config",
                                        ".config/prisma", ".config/prisma.config"};
    static const char *const ends[] = {"js", "ts", "mjs", "cjs", "mts", "cts"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (size_t j = 0; j < ARRAY_LEN(ends); j++) {
            const char *path = arena_printf(a, "%s/%s.%s", root, names[i], ends[j]);
            if (fs_is_file(path))
                return path;
        }
    return NULL;
}

static bool unclear(const char *config, const char *what, const char *hint, struct err *e)
{
    err_set(e, ERR_CONFIG, "could not read %s in \"%s\": it is not a plain string", what, config);
    err_detail(e, "The file is a program, which migsafe does not run.");
    err_hint(e, "%s", hint);
    return false;
}

static bool read_config(struct arena *a, struct prisma_project *p, struct prisma_config *c,
                        struct err *e)
{
    *c = (struct prisma_config){.url_vars = strlist_on(a)};
    p->config = find_config(a, p->root);
    if (p->config == NULL)
        return true;
    if (!prisma_config_read(a, p->config, p->root, c, e))
        return false;
    if (c->schema_is == CONFIG_UNCLEAR && p->schema == NULL)
        return unclear(p->config, "schema", "Name the schema by --schema.", e);
    if (c->migrations_are == CONFIG_UNCLEAR)
        return unclear(p->config, "migrations.path",
                       "Write it as a plain string relative to that file.", e);
    return true;
}

/* --- the schema ---------------------------------------------------------------------------------
 */

/* "prisma".schema of the nearest package.json, as Prisma up to 6 reads it; NULL: not said. */
static bool read_package_schema(struct arena *a, const char *root, const char **schema,
                                struct err *e)
{
    const char *folder = package_folder(a, root, NULL);
    char *text;
    size_t length;
    if (folder == NULL)
        return true;
    const char *path = fs_join(a, folder, "package.json");
    if (!fs_read(a, path, PACKAGE_MAX, &text, &length, e))
        return false;
    AUTO(json) struct json *package = json_parse(text, length, e);
    if (package == NULL)
        return err_wrap(e, "could not read \"%s\"", path);
    const char *named = json_str(json_find(package, "prisma"), "schema", NULL);
    if (named != NULL)
        *schema = fs_join(a, folder, named);
    return true;
}

static bool has_prisma_files(struct arena *a, const char *folder)
{
    struct strlist names;
    struct err ignored = {0};
    if (!fs_is_dir(folder) || !fs_list(a, folder, FS_FILES, &names, &ignored))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (str_ends(names.items[i], ".prisma"))
            return true;
    return false;
}

static const char *default_schema(struct arena *a, const char *root)
{
    static const char *const files[] = {"schema.prisma", "prisma/schema.prisma"};
    static const char *const folders[] = {"prisma/schema", "prisma"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (fs_is_file(fs_join(a, root, files[i])))
            return fs_join(a, root, files[i]);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (has_prisma_files(a, fs_join(a, root, folders[i])))
            return fs_join(a, root, folders[i]);
    return NULL;
}

/* --- Prisma 8 -----------------------------------------------------------------------------------
 */

static bool has_below(struct arena *a, const char *folder, const char *name)
{
    struct strlist dirs;
    struct err ignored = {0};
    if (!fs_list(a, folder, FS_DIRS, &dirs, &ignored))
        return false;
    for (size_t i = 0; i < dirs.count; i++)
        if (fs_exists(fs_join(a, fs_join(a, folder, dirs.items[i]), name)))
            return true;
    return false;
}

/* migrations/<space>/<stamp>_<slug>/migration.json, and no migration.sql where 7 looks for it */
static bool is_prisma8(struct arena *a, const char *migrations)
{
    struct strlist dirs;
    struct err ignored = {0};
    if (!fs_is_dir(migrations) || has_below(a, migrations, "migration.sql") ||
        !fs_list(a, migrations, FS_DIRS, &dirs, &ignored))
        return false;
    for (size_t i = 0; i < dirs.count; i++)
        if (has_below(a, fs_join(a, migrations, dirs.items[i]), "migration.json"))
            return true;
    return false;
}

static bool refuse_prisma8(const char *migrations, struct err *e)
{
    err_set(e, ERR_PREFLIGHT, "\"%s\" holds migrations of Prisma 8", migrations);
    err_detail(e, "Prisma 8 has no \"migrate deploy\" and no _prisma_migrations.");
    err_hint(e, "migsafe works with Prisma 5 to 7: pin prisma@7 or @prisma/prisma7.");
    return false;
}

static bool find_schema(struct arena *a, const struct prisma_config *c, struct prisma_project *p,
                        struct err *e)
{
    if (p->schema == NULL && c->schema_is == CONFIG_PLAIN)
        p->schema = c->schema;
    if (p->schema == NULL && !read_package_schema(a, p->root, &p->schema, e))
        return false;
    if (p->schema == NULL)
        p->schema = default_schema(a, p->root);
    if (p->schema != NULL && fs_exists(p->schema)) {
        p->schema = fs_absolute(a, p->schema);
        return true;
    }
    if (p->schema == NULL && is_prisma8(a, fs_join(a, p->root, "migrations")))
        return refuse_prisma8(fs_join(a, p->root, "migrations"), e);
    if (p->schema == NULL)
        err_set(e, ERR_NOT_FOUND, "no schema.prisma found in \"%s\"", p->root);
    else
        err_set(e, ERR_NOT_FOUND, "there is no schema \"%s\"", p->schema);
    err_hint(e, "Name the folder with package.json by --project and the schema by --schema.");
    return false;
}

/* --- datasource and migrations ------------------------------------------------------------------
 */

/* The .prisma file below folder that has the datasource block; *file stays NULL without one. */
static bool find_datasource(struct arena *a, const char *folder, int depth, const char **file,
                            struct datasource *d, struct err *e)
{
    struct strlist files, dirs;
    if (!fs_list(a, folder, FS_FILES, &files, e) || !fs_list(a, folder, FS_DIRS, &dirs, e))
        return false;
    for (size_t i = 0; i < files.count; i++) {
        const char *path = fs_join(a, folder, files.items[i]);
        if (!str_ends(path, ".prisma"))
            continue;
        if (!datasource_read(a, path, d, e))
            return false;
        if (d->found) {
            *file = path;
            return true;
        }
    }
    for (size_t i = 0; i < dirs.count && depth < SCHEMA_DEPTH_MAX && *file == NULL; i++)
        if (strcmp(dirs.items[i], "migrations") != 0 &&
            !find_datasource(a, fs_join(a, folder, dirs.items[i]), depth + 1, file, d, e))
            return false;
    return true;
}

static bool read_datasource(struct arena *a, const struct prisma_project *p, const char **file,
                            struct datasource *d, struct err *e)
{
    *file = NULL;
    if (!fs_is_dir(p->schema)) {
        if (!datasource_read(a, p->schema, d, e))
            return false;
        *file = d->found ? p->schema : NULL;
    } else if (!find_datasource(a, p->schema, 0, file, d, e)) {
        return false;
    }
    if (*file == NULL)
        return err_set(e, ERR_NOT_FOUND, "there is no datasource block in \"%s\"", p->schema);
    if (d->provider != NULL && strcmp(d->provider, "postgresql") != 0 &&
        strcmp(d->provider, "postgres") != 0)
        return err_set(e, ERR_CONFIG, "\"%s\" is for %s, migsafe is for PostgreSQL", *file,
                       d->provider);
    return true;
}

static void add_vars(struct strlist *to, const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!strlist_has(to, names->items[i]))
            strlist_add(to, names->items[i]);
}

static bool find_migrations(struct arena *a, const struct prisma_config *c, const char *file,
                            struct prisma_project *p, struct err *e)
{
    const char *beside = fs_join(a, fs_dirname(a, file), "migrations");
    const char *path = c->migrations_are == CONFIG_PLAIN ? c->migrations : beside;
    /* Prisma 6 takes the folder of the datasource block, 7 the schema's own. */
    if (c->migrations_are != CONFIG_PLAIN && !fs_is_dir(beside) && fs_is_dir(p->schema))
        path = fs_join(a, p->schema, "migrations");
    if (!fs_is_dir(path)) {
        err_set(e, ERR_NOT_FOUND, "there is no migrations folder \"%s\"", path);
        err_hint(e, "It is expected beside the schema: name that by --schema, or say "
                    "migrations.path in prisma.config.ts.");
        return false;
    }
    p->migrations = fs_absolute(a, path);
    return !is_prisma8(a, p->migrations) || refuse_prisma8(p->migrations, e);
}

bool prisma_project_find(struct arena *a, const char *project, const char *schema,
                         struct prisma_project *p, struct err *e)
{
    struct prisma_config config;
    struct datasource datasource;
    const char *file;
    *p = (struct prisma_project){.url_variables = strlist_on(a)};
    if (!find_root(a, project, schema, p, e) || !read_config(a, p, &config, e) ||
        !find_schema(a, &config, p, e) || !read_datasource(a, p, &file, &datasource, e))
        return false;
    add_vars(&p->url_variables, &config.url_vars);
    add_vars(&p->url_variables, &datasource.url_vars);
    if (!strlist_has(&p->url_variables, "DATABASE_URL"))
        strlist_add(&p->url_variables, "DATABASE_URL");
    p->url_is_literal = datasource.url_is_literal || config.url_is_literal;
    return find_migrations(a, &config, file, p, e);
}
