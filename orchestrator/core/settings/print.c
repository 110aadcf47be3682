#include "core/settings/table.h"

const char *settings_source_name(enum setting_source source)
{
    static const char *const names[] = {
        [FROM_DEFAULT] = "default", [FROM_FILE] = "migsafe.json", [FROM_DOTENV] = ".env",
        [FROM_ENV] = "environment", [FROM_FLAG] = "option",
    };
    return names[source];
}

char *setting_text(struct arena *a, const struct settings *s, const struct setting_row *row)
{
    const void *field = (const char *)s + row->offset;
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_CHOICE: {
        const char *text = *(const char *const *)field;
        return text == NULL ? NULL : arena_strdup(a, text);
    }
    case SETTING_INTEGER: {
        int value = *(const int *)field;
        return value < 0 ? NULL : arena_printf(a, "%d", value);
    }
    case SETTING_DURATION_MS:
        return setting_duration_text(a, *(const int64_t *)field);
    case SETTING_SIZE:
        return setting_size_text(a, *(const int64_t *)field);
    case SETTING_BOOLEAN:
        return arena_strdup(a, *(const bool *)field ? "on" : "off");
    case SETTING_LIST: {
        const struct strlist *list = field;
        return list->count == 0 ? NULL : strlist_join(list, ",");
    }
    }
    return NULL;
}

static const char *shown(struct arena *a, const struct settings *s, const struct setting_row *row)
{
    const char *text = setting_text(a, s, row);
    return text != NULL && row->flags & SETTING_SECRET ? "***" : text;
}

void settings_print(struct arena *a, const struct settings *s, FILE *to)
{
    for (size_t i = 0; i < setting_row_count; i++) {
        const struct setting_row *row = &setting_rows[i];
        const char *text = shown(a, s, row);
        fprintf(to, "%-22s = %-28s # %s\n", row->key, text == NULL ? "" : text,
                settings_source_name(setting_source_of(s, row)));
    }
}

void settings_json(struct arena *a, const struct settings *s, struct json *to)
{
    for (size_t i = 0; i < setting_row_count; i++) {
        const struct setting_row *row = &setting_rows[i];
        struct json *j = json_put_object(to, row->key);
        json_put(j, "value", shown(a, s, row));
        json_put(j, "source", settings_source_name(setting_source_of(s, row)));
    }
}

static const char *value_name(enum setting_type type)
{
    static const char *const names[] = {
        [SETTING_TEXT] = " TEXT",        [SETTING_CHOICE] = " WORD",      [SETTING_INTEGER] = " N",
        [SETTING_DURATION_MS] = " TIME", [SETTING_BOOLEAN] = "[=on|off]", [SETTING_LIST] = " LIST",
        [SETTING_SIZE] = " SIZE",
    };
    return names[type];
}

void settings_help(FILE *to)
{
    for (size_t i = 0; i < setting_row_count; i++) {
        const struct setting_row *row = &setting_rows[i];
        char left[64];
        snprintf(left, sizeof(left), "--%s%s", row->key, value_name(row->type));
        fprintf(to, "  %-30s %s", left, row->help);
        if (row->fallback != NULL)
            fprintf(to, " [%s]", row->fallback);
        fputc('\n', to);
    }
}
