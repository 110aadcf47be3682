#include "core/schema/setting.h"

#include "ext/pg.h"

#include <strings.h>

static bool is_list_of_names(const char *setting)
{
    /* GUC_LIST_QUOTE in guc_tables.c, as pg_dump's variable_is_guc_list_quote knows them. */
    static const char *const names[] = {"local_preload_libraries",   "search_path",
                                        "session_preload_libraries", "shared_preload_libraries",
                                        "temp_tablespaces",          "unix_socket_directories"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(setting, names[i]) == 0)
            return true;
    return false;
}

/* The part at *text, which is moved to the next one. */
static char *read_part(struct arena *a, const char **text)
{
    struct str part = str_on(a);
    const char *p = *text;
    if (*p == '"') {
        for (p++; *p != '\0' && !(*p == '"' && p[1] != '"'); p++) {
            str_add_n(&part, p, 1);
            p += *p == '"';
        }
        *text = p + strcspn(p, ",");
        return part.text;
    }
    size_t n = strcspn(p, ",");
    *text = p + n;
    return str_trim(a, arena_strndup(a, p, n));
}

/*
 * Lists of names are stored with their parts quoted already, by rules that are not
 * SQL's: a part may be empty or longer than a name, so each is taken out and becomes
 * a literal.  The value of any other setting is one literal, commas and all.
 */
char *setting_value(struct arena *a, const char *name, const char *value)
{
    struct str sql = str_on(a);
    const char *p = value + strspn(value, " \t\n");
    if (!is_list_of_names(name) || *p == '\0')
        return pg_literal(a, value);
    for (;;) {
        str_item(&sql, ", ", pg_literal(a, read_part(a, &p)));
        if (*p++ != ',')
            return sql.text;
        p += strspn(p, " \t\n");
    }
}
