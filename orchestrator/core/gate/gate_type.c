#include "core/gate/gate_type.h"

#include "core/prisma/calls.h"

/* What the grammar and people write, as format_type() calls it; the modifier comes after name. */
static const struct {
    const char *written, *name, *rest;
} words[] = {
    {"int2", "smallint", ""},
    {"int4", "integer", ""},
    {"int8", "bigint", ""},
    {"smallserial", "smallint", ""},
    {"serial2", "smallint", ""},
    {"serial", "integer", ""},
    {"serial4", "integer", ""},
    {"bigserial", "bigint", ""},
    {"serial8", "bigint", ""},
    {"float4", "real", ""},
    {"float8", "double precision", ""},
    {"bool", "boolean", ""},
    {"varchar", "character varying", ""},
    {"bpchar", "character", ""},
    {"varbit", "bit varying", ""},
    {"timestamp", "timestamp", " without time zone"},
    {"timestamptz", "timestamp", " with time zone"},
    {"time", "time", " without time zone"},
    {"timetz", "time", " with time zone"},
};

static const char *modifiers(struct arena *a, const struct json *list, const char *name)
{
    struct str s = str_on(a);
    size_t n = json_count(list);
    for (size_t i = 0; i < n; i++) {
        const struct json *constant = json_find(json_at(list, i), "A_Const");
        str_printf(&s, "%s%lld", i == 0 ? "(" : ",",
                   (long long)json_int(json_find(constant, "ival"), "ival", 0));
    }
    if (n == 1 && strcmp(name, "numeric") == 0)
        str_add(&s, ",0");
    if (n > 0)
        str_add(&s, ")");
    return s.text;
}

static const char *without_quotes(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    for (; *text != '\0'; text++)
        if (*text != '"')
            str_add_n(&s, text, 1);
    return s.text;
}

const char *gate_type_text(struct arena *a, const struct json *type_name)
{
    const char *schema, *name = calls_list_name(json_find(type_name, "names"), &schema);
    if (name == NULL)
        return "";
    const char *typmods = modifiers(a, json_find(type_name, "typmods"), name);
    const char *array = json_count(json_find(type_name, "arrayBounds")) > 0 ? "[]" : "";
    if (schema != NULL && strcmp(schema, "pg_catalog") != 0)
        return arena_printf(a, "%s.%s%s%s", schema, without_quotes(a, name), typmods, array);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].written, name) == 0)
            return arena_printf(a, "%s%s%s%s", words[i].name, typmods, words[i].rest, array);
    return arena_printf(a, "%s%s%s", without_quotes(a, name), typmods, array);
}

bool gate_type_same(const char *a, const char *b, const char *default_schema)
{
    if (a == NULL || b == NULL)
        return false;
    AUTO(arena) struct arena *scratch = arena_new();
    const char *prefix = arena_printf(scratch, "%s.", default_schema);
    const char *x = without_quotes(scratch, a), *y = without_quotes(scratch, b);
    x += str_starts(x, prefix) ? strlen(prefix) : 0;
    y += str_starts(y, prefix) ? strlen(prefix) : 0;
    return x[0] != '\0' && strcmp(x, y) == 0;
}
