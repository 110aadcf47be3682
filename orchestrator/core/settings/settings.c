#include "core/settings/table.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/nearest.h"
#include "core/connection/url.h"

#include <ctype.h>
#include <sched.h>
#include <unistd.h>

enum { MOST_DEFAULT_JOBS = 8 };

const struct setting_row setting_rows[] = {
#define X(type_, field_, key_, fallback_, second_, flags_, help_) \
    {.key = (key_),                                               \
     .fallback = (fallback_),                                     \
     .second = (second_),                                         \
     .help = (help_),                                             \
     .offset = offsetof(struct settings, field_),                 \
     .from_offset = offsetof(struct settings, from.field_),       \
     .type = SETTING_##type_,                                     \
     .flags = (flags_)},
    SETTINGS(X)
#undef X
};
const size_t setting_row_count = ARRAY_LEN(setting_rows);

const struct setting_row *setting_find(const char *key)
{
    for (size_t i = 0; i < setting_row_count; i++)
        if (strcmp(setting_rows[i].key, key) == 0)
            return &setting_rows[i];
    return NULL;
}

char *setting_env_name(struct arena *a, const struct setting_row *row)
{
    char *name = arena_printf(a, "MIGSAFE_%s", row->key);
    for (char *p = name; *p != '\0'; p++)
        *p = (char)(*p == '-' ? '_' : toupper((unsigned char)*p));
    return name;
}

struct strlist setting_words(struct arena *a, const struct setting_row *row)
{
    struct strlist words = strlist_on(a);
    const char *p = strrchr(row->help, '(');
    assert(p != NULL && strchr(p, ')') != NULL);
    for (p++; *p != ')'; p += *p == '|') {
        size_t n = strcspn(p, "|)");
        strlist_add(&words, arena_strndup(a, p, n));
        p += n;
    }
    return words;
}

static enum setting_source *source_field(struct settings *s, const struct setting_row *row)
{
    return (enum setting_source *)(void *)((char *)s + row->from_offset);
}

enum setting_source setting_source_of(const struct settings *s, const struct setting_row *row)
{
    return *(const enum setting_source *)(const void *)((const char *)s + row->from_offset);
}

char *setting_current_folder(struct arena *a)
{
    char *cwd = getcwd(NULL, 0);
    char *copy = arena_strdup(a, cwd == NULL ? "." : cwd);
    free(cwd);
    return copy;
}

/* Links are not resolved: where a link lies is what the user meant by "beside". */
static char *absolute(struct arena *a, const char *base, const char *path)
{
    while (str_starts(path, "./") && path[2] != '\0')
        path += 2;
    if (strcmp(path, ".") == 0 || strcmp(path, "./") == 0)
        return arena_strdup(a, base);
    char *joined = fs_join(a, base, path);
    for (size_t n = strlen(joined); n > 1 && joined[n - 1] == '/'; n--)
        joined[n - 1] = '\0';
    return joined;
}

/* A program without a slash is sought on PATH, so it stays as it is. */
static bool is_bare_program(const struct setting_row *row, const char *value)
{
    return strcmp(row->key, "prisma") == 0 && strchr(value, '/') == NULL;
}

static void put_text(struct arena *a, const char **field, const struct setting_row *row,
                     const char *value, const struct setting_origin *origin)
{
    bool is_path = (row->flags & SETTING_PATH) != 0 && !is_bare_program(row, value);
    if (value[0] == '\0')
        *field = NULL;
    else if (is_path && origin->source != FROM_DEFAULT)
        *field = absolute(a, origin->base, value);
    else
        *field = arena_strdup(a, value);
}

static void put_list(struct arena *a, struct strlist *list, const char *value, bool fresh)
{
    if (fresh)
        *list = strlist_on(a);
    for (const char *p = value; *p != '\0'; p += *p == ',') {
        size_t n = strcspn(p, ",");
        const char *item = str_trim(a, arena_strndup(a, p, n));
        if (item[0] != '\0')
            strlist_add(list, item);
        p += n;
    }
}

static bool put_value(struct arena *a, struct settings *s, const struct setting_row *row,
                      const char *value, const struct setting_origin *origin)
{
    void *field = (char *)s + row->offset;
    switch (row->type) {
    case SETTING_TEXT:
        put_text(a, field, row, value, origin);
        return true;
    case SETTING_CHOICE: {
        struct strlist words = setting_words(a, row);
        *(const char **)field = arena_strdup(a, value);
        return strlist_has(&words, value);
    }
    case SETTING_INTEGER:
        return setting_parse_int(value, field) &&
               (*(int *)field > 0 || (row->flags & SETTING_POSITIVE) == 0);
    case SETTING_DURATION_MS:
        return setting_parse_duration_ms(value, field) &&
               (*(int64_t *)field > 0 || (row->flags & SETTING_POSITIVE) == 0);
    case SETTING_SIZE:
        return setting_parse_size(value, field) &&
               (*(int64_t *)field > 0 || (row->flags & SETTING_POSITIVE) == 0);
    case SETTING_BOOLEAN:
        return setting_parse_boolean(value, field);
    case SETTING_LIST:
        put_list(a, field, value, setting_source_of(s, row) != origin->source);
        return true;
    }
    return false;
}

static bool bad_value(struct arena *a, const struct setting_row *row, const char *value,
                      const struct setting_origin *origin, struct err *e)
{
    struct strlist words;
    err_set(e, ERR_CONFIG, "invalid value for setting \"%s\": \"%s\"", row->key,
            row->flags & SETTING_SECRET ? "***" : value);
    if (row->type == SETTING_DURATION_MS)
        err_hint(e, "Write a whole number%s and a unit: ms, s, min, h or d; at most 24 days.",
                 row->flags & SETTING_POSITIVE ? " from 1 on" : "");
    if (row->type == SETTING_SIZE)
        err_hint(e, "Write a whole number and a unit: B, kB, MB, GB or TB.");
    if (row->type == SETTING_BOOLEAN)
        err_hint(e, "Write on or off.");
    if (row->type == SETTING_INTEGER)
        err_hint(e, "Write a whole number from %d on.", row->flags & SETTING_POSITIVE ? 1 : 0);
    if (row->type == SETTING_CHOICE) {
        words = setting_words(a, row);
        err_hint(e, "Write one of: %s.", strlist_join(&words, ", "));
    }
    return origin->where == NULL ? false : err_wrap(e, "%s", origin->where);
}

bool setting_put(struct arena *a, struct settings *s, const struct setting_row *row,
                 const char *value, const struct setting_origin *origin, struct err *e)
{
    if (origin->source < setting_source_of(s, row))
        return true;
    if (!put_value(a, s, row, value, origin))
        return bad_value(a, row, value, origin, e);
    *source_field(s, row) = origin->source;
    return true;
}

bool setting_unknown(struct arena *a, const char *key, struct err *e)
{
    struct strlist keys = strlist_on(a);
    settings_keys(&keys);
    const char *meant = nearest(&keys, key);
    err_set(e, ERR_CONFIG, "unrecognized setting \"%s\"", key);
    if (meant != NULL)
        err_hint(e, "Perhaps \"%s\" is meant.", meant);
    return false;
}

bool settings_set(struct arena *a, struct settings *s, const char *key, const char *value,
                  enum setting_source source, struct err *e)
{
    const struct setting_row *row = setting_find(key);
    if (row != NULL)
        return setting_put(
            a, s, row, value,
            &(struct setting_origin){.source = source, .base = setting_current_folder(a)}, e);
    return setting_unknown(a, key, e);
}

void settings_defaults(struct arena *a, struct settings *s)
{
    *s = (struct settings){.dotenv = strlist_on(a), .warnings = strlist_on(a)};
    const struct setting_origin origin = {.source = FROM_DEFAULT};
    for (size_t i = 0; i < setting_row_count; i++) {
        const struct setting_row *row = &setting_rows[i];
        if (row->type == SETTING_INTEGER)
            *(int *)(void *)((char *)s + row->offset) = -1;
        if (row->type == SETTING_LIST)
            *(struct strlist *)(void *)((char *)s + row->offset) = strlist_on(a);
        bool ok = row->fallback == NULL || put_value(a, s, row, row->fallback, &origin);
        assert(ok && "the default of a setting is not a value of its type");
        (void)ok;
    }
}

bool settings_load(struct arena *a, struct settings *s, const char *config, struct err *e)
{
    settings_defaults(a, s);
    return settings_read(a, s, config, e);
}

static int processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    return 1;
}

/* Everything after the host of a webhook may be a token. */
static const char *webhook_path(const char *url)
{
    const char *host = url == NULL ? NULL : strstr(url, "://");
    const char *path = host == NULL ? NULL : strchr(host + 3, '/');
    return path == NULL || path[1] == '\0' ? NULL : path + 1;
}

static void hide_secrets(struct arena *a, const struct settings *s)
{
    const char *const urls[] = {s->url, s->direct_url, s->admin_url, s->webhook_url};
    struct strlist secrets = strlist_on(a);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        if (urls[i] != NULL)
            url_secrets(a, urls[i], &secrets);
    for (size_t i = 0; i < secrets.count; i++)
        log_secret(secrets.items[i]);
    log_secret(s->webhook_secret);
    log_secret(webhook_path(s->webhook_url));
}

void settings_finish(struct arena *a, struct settings *s)
{
    const char *base = s->file == NULL ? setting_current_folder(a) : fs_dirname(a, s->file);
    for (size_t i = 0; i < setting_row_count; i++) {
        const struct setting_row *row = &setting_rows[i];
        const char **field = (const char **)(void *)((char *)s + row->offset);
        if (row->flags & SETTING_PATH && *field != NULL &&
            setting_source_of(s, row) == FROM_DEFAULT)
            *field = absolute(a, base, *field);
    }
    if (s->backup_dir == NULL)
        s->backup_dir = fs_join(a, base, "backups");
    if (s->project == NULL)
        s->project = base;
    if (s->state_dir == NULL)
        s->state_dir = fs_join(a, s->backup_dir, ".migsafe");
    if (s->hooks_dir == NULL && s->file != NULL && s->from.hooks_dir == FROM_DEFAULT &&
        fs_is_dir(fs_join(a, base, "hooks")))
        s->hooks_dir = fs_join(a, base, "hooks");
    if (s->jobs < 0)
        s->jobs = processors() < MOST_DEFAULT_JOBS ? processors() : MOST_DEFAULT_JOBS;
    hide_secrets(a, s);
}

bool settings_has(const char *key)
{
    return setting_find(key) != NULL;
}

bool settings_is_flag(const char *key)
{
    const struct setting_row *row = setting_find(key);
    return row != NULL && row->type == SETTING_BOOLEAN;
}

bool settings_is_secret(const char *key)
{
    const struct setting_row *row = setting_find(key);
    return row != NULL && (row->flags & SETTING_SECRET) != 0;
}

char *settings_env_names(struct arena *a, const char *key)
{
    const struct setting_row *row = setting_find(key);
    assert(row != NULL);
    const char *name = setting_env_name(a, row);
    return row->second == NULL ? arena_strdup(a, name)
                               : arena_printf(a, "%s or %s", name, row->second);
}

void settings_keys(struct strlist *keys)
{
    for (size_t i = 0; i < setting_row_count; i++)
        strlist_add(keys, setting_rows[i].key);
}
