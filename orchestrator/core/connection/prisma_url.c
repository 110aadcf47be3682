#include "core/connection/connection.h"

#include "core/connection/url.h"

/* Ours last, so that they win; not again when they are there already. */
static const char *joined(struct arena *a, const char *own, const char *ours)
{
    if (own == NULL || own[0] == '\0')
        return ours;
    if (strcmp(own, ours) == 0 || str_ends(own, arena_printf(a, " %s", ours)))
        return own;
    return arena_printf(a, "%s %s", own, ours);
}

static void add_parameter(struct arena *a, struct str *query, const char *name, const char *value)
{
    str_item(query, "&", name);
    str_add(query, "=");
    str_add(query, url_encode(a, value));
}

char *connection_prisma_url(struct arena *a, const char *url, const char *application_name,
                            const char *options)
{
    const char *clean = url_clean(a, url);
    size_t before = strcspn(clean, "?#");
    const char *query = clean[before] == '?' ? clean + before + 1 : "";
    const char *fragment = strchr(clean, '#');
    query = arena_strndup(a, query, strcspn(query, "#"));

    struct str kept = str_on(a);
    struct url_pair pair;
    const char *own_options = NULL;
    while (url_next_pair(a, &query, &pair)) {
        bool is_options = options != NULL && strcmp(pair.name, "options") == 0;
        bool is_name = application_name != NULL && strcmp(pair.name, "application_name") == 0;
        if (is_options)
            own_options = pair.value;
        else if (!is_name)
            str_item(&kept, "&", pair.raw);
    }
    if (application_name != NULL)
        add_parameter(a, &kept, "application_name", application_name);
    if (options != NULL)
        add_parameter(a, &kept, "options", joined(a, own_options, options));
    return arena_printf(a, "%.*s%s%s%s", (int)before, clean, kept.length > 0 ? "?" : "", kept.text,
                        fragment == NULL ? "" : fragment);
}

char *connection_url_to(struct arena *a, const char *url, const char *dbname)
{
    const char *clean = url_clean(a, url), *scheme_end = strstr(clean, "://");
    size_t authority = scheme_end == NULL ? 0 : (size_t)(scheme_end - clean) + 3;
    size_t path = authority + strcspn(clean + authority, "/?#");
    size_t rest = path + strcspn(clean + path, "?#");
    return arena_printf(a, "%.*s/%s%s", (int)path, clean, url_encode(a, dbname), clean + rest);
}
