#include "core/settings/table.h"

#include "base/fs.h"
#include "base/nearest.h"
#include "core/settings/dotenv.h"

#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

static bool config_failed(struct err *e, const char *where)
{
    e->kind = ERR_CONFIG;
    return err_wrap(e, "%s", where);
}

/* A LIST may be written as a JSON list; everything else is a scalar. */
static char *file_value(struct arena *a, const struct setting_row *row, const struct json *member)
{
    if (row->type != SETTING_LIST || !json_is_array(member))
        return json_scalar(a, member);
    struct strlist items = strlist_on(a);
    for (size_t i = 0; i < json_count(member); i++) {
        const char *item = json_text_of(json_at(member, i));
        if (item == NULL)
            return NULL;
        strlist_add(&items, item);
    }
    return strlist_join(&items, ",");
}

static bool read_member(struct arena *a, struct settings *s, const struct json *member,
                        struct strlist *seen, struct err *e)
{
    const char *key = json_key(member);
    if (strcmp(key, "$schema") == 0)
        return true;
    const struct setting_row *row = setting_find(key);
    if (row == NULL)
        return setting_unknown(a, key, e);
    if (strlist_has(seen, key))
        return err_set(e, ERR_CONFIG, "setting \"%s\" is given twice", key);
    strlist_add(seen, key);
    char *value = file_value(a, row, member);
    if (value == NULL)
        return err_set(e, ERR_CONFIG, "setting \"%s\" must be a text, a number, or true or false",
                       key);
    const struct setting_origin origin = {.source = FROM_FILE, .base = fs_dirname(a, s->file)};
    return setting_put(a, s, row, value, &origin, e);
}

static bool read_file(struct arena *a, struct settings *s, const char *config, struct err *e)
{
    const char *path = config == NULL ? "migsafe.json" : config;
    if (config == NULL && !fs_exists(path))
        return true;
    const char *where = arena_printf(a, "settings file \"%s\"", path);
    char *text;
    size_t length;
    if (!fs_read(a, path, FILE_MAX, &text, &length, e))
        return config_failed(e, where);
    AUTO(json) struct json *j = json_parse(text, length, e);
    if (j == NULL)
        return config_failed(e, where);
    s->file = fs_join(a, setting_current_folder(a), str_starts(path, "./") ? path + 2 : path);
    if (!json_is_object(j)) {
        err_set(e, ERR_CONFIG, "not a JSON object");
        return config_failed(e, where);
    }
    struct strlist seen = strlist_on(a);
    for (size_t i = 0; i < json_count(j); i++)
        if (!read_member(a, s, json_at(j, i), &seen, e))
            return config_failed(e, where);
    return true;
}

/* MIGSAFE_NAME beats the second name.  An empty variable counts as not set: compose files pass
 * on what they do not have as empty. */
static const char *given(const char *value)
{
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool read_environment(struct arena *a, struct settings *s, struct err *e)
{
    for (size_t i = 0; i < setting_row_count; i++) {
        const struct setting_row *row = &setting_rows[i];
        const char *name = setting_env_name(a, row);
        const char *value = given(getenv(name));
        if (value == NULL && row->second != NULL) {
            name = row->second;
            value = given(getenv(name));
        }
        const struct setting_origin origin = {
            .source = FROM_ENV,
            .base = setting_current_folder(a),
            .where = arena_printf(a, "environment variable %s", name),
        };
        if (value != NULL && !setting_put(a, s, row, value, &origin, e))
            return false;
    }
    return true;
}

/* What a CI job is told of where to get migsafe (packaging/ci) is in its environment too. */
static bool is_known_variable(struct arena *a, const char *name)
{
    if (!str_starts(name, "MIGSAFE_") || str_starts(name, "MIGSAFE_RUN_") ||
        strcmp(name, "MIGSAFE_REPOSITORY") == 0 || strcmp(name, "MIGSAFE_REF") == 0)
        return true;
    for (size_t i = 0; i < setting_row_count; i++)
        if (strcmp(setting_env_name(a, &setting_rows[i]), name) == 0)
            return true;
    return false;
}

static const char *nearest_variable(struct arena *a, const char *name)
{
    struct strlist names = strlist_on(a);
    for (size_t i = 0; i < setting_row_count; i++)
        strlist_add(&names, setting_env_name(a, &setting_rows[i]));
    return nearest(&names, name);
}

static bool check_environment(struct arena *a, struct err *e)
{
    for (char **p = environ; *p != NULL; p++) {
        const char *name = arena_strndup(a, *p, strcspn(*p, "="));
        if (is_known_variable(a, name))
            continue;
        const char *meant = nearest_variable(a, name);
        err_set(e, ERR_CONFIG, "unrecognized environment variable %s", name);
        if (meant != NULL)
            err_hint(e, "Perhaps %s is meant.", meant);
        else
            err_hint(e, "Run \"migsafe settings\" for the names that are known.");
        return false;
    }
    return true;
}

/* What one .env says of a setting: its value and under which name. */
static const char *dotenv_value(struct arena *a, const struct dotenv *d,
                                const struct setting_row *row, const char **name)
{
    *name = setting_env_name(a, row);
    const char *value = given(dotenv_get(d, *name));
    if (value != NULL || row->second == NULL)
        return value;
    *name = row->second;
    return given(dotenv_get(d, *name));
}

static bool read_dotenv(struct arena *a, struct settings *s, const char *path, struct err *e)
{
    char *text;
    if (!fs_read(a, path, FILE_MAX, &text, NULL, e)) {
        e->kind = ERR_CONFIG;
        return false;
    }
    const struct dotenv d = dotenv_parse(a, text);
    for (size_t i = 0; i < d.names.count; i++)
        if (!is_known_variable(a, d.names.items[i]))
            strlist_printf(&s->warnings, "file \"%s\": unrecognized name %s", path,
                           d.names.items[i]);
    for (size_t i = 0; i < setting_row_count; i++) {
        const struct setting_row *row = &setting_rows[i];
        const char *name, *value = dotenv_value(a, &d, row, &name);
        const struct setting_origin origin = {
            .source = FROM_DOTENV,
            .base = fs_dirname(a, path),
            .where = arena_printf(a, "file \"%s\": %s", path, name),
        };
        /* The file that was read first is the stronger. */
        if (value == NULL || setting_source_of(s, row) >= FROM_DOTENV)
            continue;
        if (!setting_put(a, s, row, value, &origin, e))
            return false;
    }
    strlist_add(&s->dotenv, path);
    return true;
}

static void add_place(struct strlist *places, const char *folder)
{
    const char *path = folder == NULL ? NULL : fs_join(places->arena, folder, ".env");
    if (path != NULL && fs_is_file(path) && !strlist_has(places, path))
        strlist_add(places, path);
}

/* The folder of the nearest package.json at or above folder; NULL: none. */
static const char *package_folder(struct arena *a, const char *folder)
{
    for (;;) {
        if (fs_is_file(fs_join(a, folder, "package.json")))
            return folder;
        const char *up = fs_dirname(a, folder);
        if (strcmp(up, folder) == 0 || strcmp(up, ".") == 0)
            return NULL;
        folder = up;
    }
}

/* Beside migsafe.json, then where Prisma looks: the project's root and the schema's folder. */
static struct strlist dotenv_places(struct arena *a, const struct settings *s)
{
    struct strlist places = strlist_on(a);
    const char *base = s->file == NULL ? setting_current_folder(a) : fs_dirname(a, s->file);
    const char *project = s->project == NULL || s->from.project == FROM_DEFAULT ? base : s->project;
    const char *schema = s->schema;
    add_place(&places, base);
    add_place(&places, package_folder(a, project));
    if (schema != NULL)
        add_place(&places, fs_is_dir(schema) ? schema : fs_dirname(a, schema));
    add_place(&places, fs_join(a, project, "prisma"));
    add_place(&places, project);
    return places;
}

bool settings_read(struct arena *a, struct settings *s, const char *config, struct err *e)
{
    if (!check_environment(a, e) || !read_environment(a, s, e) || !read_file(a, s, config, e))
        return false;
    /* Last, because the others say where the project is. */
    struct strlist places = dotenv_places(a, s);
    for (size_t i = 0; i < places.count; i++)
        if (!read_dotenv(a, s, places.items[i], e))
            return false;
    return true;
}
