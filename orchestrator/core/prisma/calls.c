#include "core/prisma/calls.h"

const char *calls_list_name(const struct json *list, const char **schema)
{
    size_t n = json_count(list);
    *schema = n > 1 ? json_str(json_find(json_at(list, n - 2), "String"), "sval", NULL) : NULL;
    return n > 0 ? json_str(json_find(json_at(list, n - 1), "String"), "sval", NULL) : NULL;
}

/* PostgreSQL's own that write nothing; what is not here counts as a function of the user. */
static const char quiet_functions[] =
    " set_config current_setting now clock_timestamp statement_timestamp "
    "transaction_timestamp timezone gen_random_uuid uuid_generate_v4 version "
    "pg_sleep pg_notify pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock "
    "pg_try_advisory_lock to_regclass pg_get_serial_sequence max min count sum avg "
    "lower upper length concat format md5 random to_char date_trunc "
    "jsonb_build_object json_build_object jsonb_build_array to_jsonb array_agg "
    "string_agg row_number unnest generate_series floor round abs substring replace "
    "trim btrim ";

static enum calls call_kind(const struct json *call)
{
    const char *schema, *name = calls_list_name(json_find(call, "funcname"), &schema);
    if (name == NULL || (schema != NULL && strcmp(schema, "pg_catalog") != 0))
        return CALLS_UNKNOWN;
    if (strcmp(name, "setval") == 0 || strcmp(name, "nextval") == 0)
        return CALLS_VALUES;
    char word[64 + 2]; /* a name has at most 63 bytes */
    snprintf(word, sizeof(word), " %s ", name);
    bool quiet = strchr(name, ' ') == NULL && strstr(quiet_functions, word) != NULL;
    return quiet ? CALLS_QUIET : CALLS_UNKNOWN;
}

/* The worst call anywhere below a node. */
enum calls calls_below(const struct json *node)
{
    enum calls worst = CALLS_QUIET;
    for (const struct json *child = json_at(node, 0); child != NULL; child = json_next(child)) {
        enum calls here = calls_below(child);
        if (json_is_object(node) && strcmp(json_key(child), "FuncCall") == 0 &&
            call_kind(child) > here)
            here = call_kind(child);
        worst = here > worst ? here : worst;
    }
    return worst;
}

bool calls_search_path(const struct json *call)
{
    const struct json *first = json_at(json_find(call, "args"), 0);
    const struct json *text = json_find(json_find(first, "A_Const"), "sval");
    const char *schema, *name = calls_list_name(json_find(call, "funcname"), &schema);
    return name != NULL && strcmp(name, "set_config") == 0 &&
           strcmp(json_str(text, "sval", ""), "search_path") == 0;
}
