#include "core/fence/fence.h"

#include <strings.h>

static const char run_is[] = "migsafe-fence run=", until_is[] = " until=", was_is[] = " was=";
static const char setting_is[] = "default_transaction_read_only=";

/* A word behind its label, at *p, which is moved behind it; NULL when it is not there. */
static const char *read_word(struct arena *a, const char **p, const char *label)
{
    if (!str_starts(*p, label))
        return NULL;
    const char *word = *p + strlen(label);
    size_t n = strcspn(word, " \n");
    *p = word + n;
    return n == 0 ? NULL : arena_strndup(a, word, n);
}

bool fence_parse(struct arena *a, const char *comment, struct fence_mark *mark)
{
    const char *p = comment == NULL ? "" : comment;
    *mark = (struct fence_mark){0};
    const char *run = read_word(a, &p, run_is);
    const char *until = run == NULL ? NULL : read_word(a, &p, until_is);
    const char *was = until == NULL ? NULL : read_word(a, &p, was_is);
    if (was == NULL || (*p != '\0' && *p != '\n'))
        return false;
    *mark = (struct fence_mark){
        .run = run,
        .until = until,
        .was_setting = strcmp(was, "none") == 0 ? NULL : was,
        .was_comment = *p == '\0' ? NULL : arena_strdup(a, p + 1),
    };
    return true;
}

char *fence_comment(struct arena *a, const struct fence_mark *mark)
{
    const char *was = mark->was_comment;
    return arena_printf(a, "%s%s%s%s%s%s%s%s", run_is, mark->run, until_is, mark->until, was_is,
                        mark->was_setting == NULL ? "none" : mark->was_setting,
                        was == NULL ? "" : "\n", was == NULL ? "" : was);
}

void fence_take_out(struct arena *a, struct database_facts *facts)
{
    struct fence_mark mark;
    if (!fence_parse(a, facts->comment, &mark))
        return;
    struct strlist settings = strlist_on(a);
    for (size_t i = 0; i < facts->settings.count; i++) {
        const char *item = facts->settings.items[i];
        if (!str_starts(item, setting_is) || strcmp(item + strlen(setting_is), "on") != 0)
            strlist_add(&settings, item);
        else if (mark.was_setting != NULL)
            strlist_printf(&settings, "%s%s", setting_is, mark.was_setting);
    }
    facts->settings = settings;
    facts->comment = mark.was_comment;
}

/* Booleans as the server reads them. */
bool fence_was_on(const struct fence_mark *mark)
{
    const char *was = mark->was_setting;
    return was != NULL && (strcasecmp(was, "on") == 0 || strcmp(was, "1") == 0 ||
                           strncasecmp("true", was, strlen(was)) == 0 ||
                           strncasecmp("yes", was, strlen(was)) == 0);
}

char *fence_setting_sql(struct arena *a, const char *name, const struct fence_mark *mark)
{
    const char *quoted = pg_ident(a, name);
    if (mark->was_setting == NULL)
        return arena_printf(a, "ALTER DATABASE %s RESET default_transaction_read_only", quoted);
    return arena_printf(a, "ALTER DATABASE %s SET default_transaction_read_only TO %s", quoted,
                        pg_literal(a, mark->was_setting));
}
