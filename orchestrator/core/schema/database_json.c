#include "core/schema/database.h"

static void put_settings(struct json *to, const struct strlist *settings)
{
    struct json *list = json_put_array(to, "settings");
    for (size_t i = 0; i < settings->count; i++)
        json_push(list, settings->items[i]);
}

/* "first\nsecond" as an object with these two keys. */
static void put_pairs(struct json *to, const char *key, const struct strlist *pairs,
                      const char *const names[2])
{
    AUTO(arena) struct arena *a = arena_new();
    struct json *list = json_put_array(to, key);
    for (size_t i = 0; i < pairs->count; i++) {
        const char *cut = strchr(pairs->items[i], '\n');
        struct json *pair = json_push_object(list);
        json_put(pair, names[0],
                 arena_strndup(a, pairs->items[i], (size_t)(cut - pairs->items[i])));
        json_put(pair, names[1], cut + 1);
    }
}

static const char *const role_names[2] = {"role", "setting"};
static const char *const label_names[2] = {"provider", "label"};

void database_json(const struct database_facts *f, struct json *to)
{
    json_put(to, "name", f->name);
    json_put(to, "oid", f->oid);
    json_put(to, "owner", f->owner);
    json_put(to, "encoding", f->encoding);
    json_put(to, "locale", f->collate);
    json_put(to, "ctype", f->ctype);
    json_put(to, "locale_provider", f->locale_provider);
    json_put(to, "icu_locale", f->icu_locale);
    json_put(to, "icu_rules", f->icu_rules);
    json_put(to, "tablespace", f->tablespace);
    json_put(to, "comment", f->comment);
    json_put(to, "acl", f->acl);
    json_put_int(to, "connection_limit", f->connection_limit);
    json_put_int(to, "bytes", f->bytes);
    put_settings(to, &f->settings);
    put_pairs(to, "role_settings", &f->role_settings, role_names);
    put_pairs(to, "security_labels", &f->security_labels, label_names);
}

static bool read_settings(struct arena *a, const struct json *j, struct strlist *out, struct err *e)
{
    struct json *list;
    *out = strlist_on(a);
    if (!json_need_array(j, "settings", &list, e))
        return false;
    for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
        const char *text = json_text_of(item);
        if (text == NULL || strchr(text, '=') == NULL)
            return err_set(e, ERR_DAMAGED, "key \"settings\" holds something that is no setting");
        strlist_add(out, arena_strdup(a, text));
    }
    return true;
}

static bool read_pairs(struct arena *a, const struct json *j, const char *key,
                       const char *const names[2], struct strlist *out, struct err *e)
{
    struct json *list;
    *out = strlist_on(a);
    if (!json_need_array(j, key, &list, e))
        return false;
    for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
        const char *first, *second;
        const struct json_text_field fields[] = {{names[0], &first}, {names[1], &second}};
        if (!json_read_texts(a, item, fields, ARRAY_LEN(fields), e))
            return err_wrap(e, "%s[%zu]", key, out->count);
        strlist_printf(out, "%s\n%s", first, second);
    }
    return true;
}

bool database_from_json(struct arena *a, const struct json *j, struct database_facts *f,
                        struct err *e)
{
    *f = (struct database_facts){0};
    const struct json_text_field texts[] = {
        {"name", &f->name},
        {"oid", &f->oid},
        {"owner", &f->owner},
        {"encoding", &f->encoding},
        {"locale", &f->collate},
        {"ctype", &f->ctype},
        {"locale_provider", &f->locale_provider},
        {"icu_locale", &f->icu_locale, .optional = true},
        {"icu_rules", &f->icu_rules, .optional = true},
        {"tablespace", &f->tablespace},
        {"comment", &f->comment, .optional = true},
        {"acl", &f->acl, .optional = true},
    };
    return json_read_texts(a, j, texts, ARRAY_LEN(texts), e) &&
           json_need_int(j, "connection_limit", &f->connection_limit, e) &&
           json_need_int(j, "bytes", &f->bytes, e) && read_settings(a, j, &f->settings, e) &&
           read_pairs(a, j, "role_settings", role_names, &f->role_settings, e) &&
           read_pairs(a, j, "security_labels", label_names, &f->security_labels, e);
}
