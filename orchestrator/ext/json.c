#include "ext/json.h"

#include <cjson/cJSON.h>
#include <math.h>

/* struct json is a cJSON: the name keeps cJSON's out of everyone else's files. */
static cJSON *in(const struct json *j)
{
    return (cJSON *)(uintptr_t)j;
}

static struct json *out(cJSON *c)
{
    return (struct json *)c;
}

static struct json *made(cJSON *c)
{
    if (c == NULL) {
        fputs("migsafe: out of memory\n", stderr);
        abort();
    }
    return out(c);
}

void json_free(struct json *j)
{
    cJSON_Delete(in(j));
}

struct json *json_object(void)
{
    return made(cJSON_CreateObject());
}

struct json *json_array(void)
{
    return made(cJSON_CreateArray());
}

struct json *json_copy(const struct json *j)
{
    return made(cJSON_Duplicate(in(j), true));
}

static void position(const char *text, const char *at, int *line, int *column)
{
    *line = *column = 1;
    for (const char *p = text; p < at; p++) {
        *column = *p == '\n' ? 1 : *column + 1;
        *line += *p == '\n';
    }
}

struct json *json_parse(const char *text, size_t length, struct err *e)
{
    const char *end = text;
    cJSON *c = cJSON_ParseWithLengthOpts(text, length, &end, false);
    while (c != NULL && end < text + length && strchr(" \t\r\n", *end) != NULL && *end != '\0')
        end++;
    if (c != NULL && end == text + length)
        return out(c);
    cJSON_Delete(c);
    int line, column;
    position(text, end, &line, &column);
    err_set(e, ERR_DAMAGED, "invalid JSON at line %d, column %d", line, column);
    return NULL;
}

static char *printed(struct arena *a, char *text, const char *tail)
{
    made((cJSON *)(void *)text);
    char *copy = arena_printf(a, "%s%s", text, tail);
    cJSON_free(text);
    return copy;
}

char *json_text(struct arena *a, const struct json *j)
{
    return printed(a, cJSON_PrintUnformatted(in(j)), "");
}

char *json_pretty(struct arena *a, const struct json *j)
{
    return printed(a, cJSON_Print(in(j)), "\n");
}

void json_put_node(struct json *object, const char *key, struct json *taken)
{
    cJSON_DeleteItemFromObjectCaseSensitive(in(object), key);
    cJSON_AddItemToObject(in(object), key, in(taken));
}

void json_put(struct json *object, const char *key, const char *text)
{
    json_put_node(object, key, made(text ? cJSON_CreateString(text) : cJSON_CreateNull()));
}

/* cJSON prints numbers of more than 15 digits rounded: those go out as the text that they are. */
static struct json *whole(int64_t value)
{
    const int64_t exact = 999999999999999;
    char digits[32];
    if (value <= exact && value >= -exact)
        return made(cJSON_CreateNumber((double)value));
    snprintf(digits, sizeof(digits), "%lld", (long long)value);
    return made(cJSON_CreateRaw(digits));
}

void json_put_int(struct json *object, const char *key, int64_t value)
{
    json_put_node(object, key, whole(value));
}

void json_put_bool(struct json *object, const char *key, bool value)
{
    json_put_node(object, key, made(cJSON_CreateBool(value)));
}

struct json *json_put_object(struct json *object, const char *key)
{
    struct json *child = json_object();
    json_put_node(object, key, child);
    return child;
}

struct json *json_put_object_if(struct json *object, const char *key, bool there)
{
    if (there)
        return json_put_object(object, key);
    json_put(object, key, NULL);
    return NULL;
}

struct json *json_put_array(struct json *object, const char *key)
{
    struct json *child = json_array();
    json_put_node(object, key, child);
    return child;
}

void json_push_node(struct json *array, struct json *taken)
{
    cJSON_AddItemToArray(in(array), in(taken));
}

void json_push(struct json *array, const char *text)
{
    json_push_node(array, made(cJSON_CreateString(text)));
}

void json_push_int(struct json *array, int64_t value)
{
    json_push_node(array, whole(value));
}

struct json *json_push_object(struct json *array)
{
    struct json *child = json_object();
    json_push_node(array, child);
    return child;
}

void json_put_err(struct json *object, const char *key, const struct err *e)
{
    if (e->kind == ERR_NONE) {
        json_put(object, key, NULL);
        return;
    }
    struct json *j = json_put_object(object, key);
    json_put(j, "kind", err_kind_name(e->kind));
    json_put(j, "sqlstate", e->sqlstate[0] ? e->sqlstate : NULL);
    json_put(j, "message", e->message);
    json_put(j, "detail", e->detail[0] ? e->detail : NULL);
    json_put(j, "hint", e->hint[0] ? e->hint : NULL);
}

struct json *json_find(const struct json *object, const char *key)
{
    cJSON *found = cJSON_GetObjectItemCaseSensitive(in(object), key);
    return cJSON_IsNull(found) ? NULL : out(found);
}

size_t json_count(const struct json *container)
{
    return container == NULL ? 0 : (size_t)cJSON_GetArraySize(in(container));
}

struct json *json_at(const struct json *container, size_t i)
{
    return out(cJSON_GetArrayItem(in(container), (int)i));
}

struct json *json_first(const struct json *container)
{
    return container == NULL ? NULL : out(in(container)->child);
}

struct json *json_next(const struct json *member)
{
    return out(in(member)->next);
}

const char *json_key(const struct json *member)
{
    return in(member)->string;
}

bool json_is_object(const struct json *j)
{
    return cJSON_IsObject(in(j));
}

bool json_is_array(const struct json *j)
{
    return cJSON_IsArray(in(j));
}

const char *json_text_of(const struct json *j)
{
    return cJSON_GetStringValue(in(j));
}

const char *json_str(const struct json *object, const char *key, const char *fallback)
{
    const char *text = json_text_of(json_find(object, key));
    return text == NULL ? fallback : text;
}

bool json_whole(const struct json *j, int64_t *value)
{
    const double limit = 9007199254740992.0;
    if (j == NULL || !cJSON_IsNumber(in(j)))
        return false;
    double d = cJSON_GetNumberValue(in(j));
    if (!(d >= -limit && d <= limit) || d != trunc(d))
        return false;
    *value = (int64_t)d;
    return true;
}

int64_t json_int(const struct json *object, const char *key, int64_t fallback)
{
    int64_t value;
    return json_whole(json_find(object, key), &value) ? value : fallback;
}

bool json_bool(const struct json *object, const char *key, bool fallback)
{
    const struct json *found = json_find(object, key);
    return cJSON_IsBool(in(found)) ? (bool)cJSON_IsTrue(in(found)) : fallback;
}

bool json_need_str(const struct json *object, const char *key, const char **text, struct err *e)
{
    *text = json_text_of(json_find(object, key));
    return *text != NULL || err_set(e, ERR_DAMAGED, "key \"%s\" is missing or not a string", key);
}

bool json_need_int(const struct json *object, const char *key, int64_t *value, struct err *e)
{
    return json_whole(json_find(object, key), value) ||
           err_set(e, ERR_DAMAGED, "key \"%s\" is missing or not a whole number", key);
}

bool json_need_array(const struct json *object, const char *key, struct json **array, struct err *e)
{
    *array = json_find(object, key);
    return json_is_array(*array) ||
           err_set(e, ERR_DAMAGED, "key \"%s\" is missing or not a list", key);
}

bool json_need_object(const struct json *object, const char *key, struct json **child,
                      struct err *e)
{
    *child = json_find(object, key);
    return json_is_object(*child) ||
           err_set(e, ERR_DAMAGED, "key \"%s\" is missing or not an object", key);
}

bool json_need_bool(const struct json *object, const char *key, bool *value, struct err *e)
{
    const struct json *found = json_find(object, key);
    *value = cJSON_IsTrue(in(found));
    return cJSON_IsBool(in(found)) ||
           err_set(e, ERR_DAMAGED, "key \"%s\" is missing or not true or false", key);
}

bool json_read_texts(struct arena *a, const struct json *object,
                     const struct json_text_field *fields, size_t count, struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        const struct json *found = json_find(object, fields[i].key);
        const char *text = json_text_of(found);
        if (text == NULL && !(fields[i].optional && found == NULL))
            return err_set(e, ERR_DAMAGED, "key \"%s\" is %snot a string", fields[i].key,
                           fields[i].optional ? "" : "missing or ");
        *fields[i].to = text == NULL ? NULL : arena_strdup(a, text);
    }
    return true;
}

char *json_scalar(struct arena *a, const struct json *j)
{
    if (json_text_of(j) != NULL)
        return arena_strdup(a, json_text_of(j));
    if (cJSON_IsBool(in(j)))
        return arena_strdup(a, cJSON_IsTrue(in(j)) ? "on" : "off");
    return cJSON_IsNumber(in(j)) ? json_text(a, j) : NULL;
}
