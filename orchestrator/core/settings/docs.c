#include "core/settings/table.h"

/* The two pages that are made from the table: docs/SETTINGS.md and docs/migsafe.schema.json. */

static const char before_table[] =
    "<!-- made by: migsafe settings --markdown -->\n"
    "# Settings\n\n"
    "A setting can be given in five places. The strongest that names it counts:\n\n"
    "1. an option of any command: `--lock-timeout 2s`, `--lock-timeout=2s`; a switch also as\n"
    "   `--backup-after` and `--no-backup-after`;\n"
    "2. the environment: `MIGSAFE_LOCK_TIMEOUT=2s`; some have a second name, which counts when "
    "the\n"
    "   first is not set. An empty variable counts as not set;\n"
    "3. `.env`: the same names, read by Prisma's rules (quotes, `export`, `${NAME}`). The files "
    "are\n"
    "   looked for beside `migsafe.json` (without one in the current folder), at the project's "
    "root\n"
    "   (the nearest `package.json`), beside the schema, in the project's `prisma` folder, in the\n"
    "   project; where two name the same, the first in this order counts;\n"
    "4. `migsafe.json` in the current folder, or the file of `--config FILE`. Its keys are the "
    "names\n"
    "   in the first column. `\"$schema\"` may name `migsafe.schema.json`, by which editors "
    "complete\n"
    "   and check it;\n"
    "5. the default.\n\n"
    "An unknown key in `migsafe.json` and an unknown `MIGSAFE_*` variable are errors (exit status\n"
    "78), so that a typing error cannot pass unseen; in `.env` an unknown `MIGSAFE_*` is a "
    "warning.\n"
    "Hooks are told things in `MIGSAFE_RUN_*`, which is never read as a setting; nor are\n"
    "`MIGSAFE_REPOSITORY` and `MIGSAFE_REF`, by which a CI job gets migsafe.\n"
    "`migsafe settings` shows what counts and where it came from.\n\n"
    "Times are whole numbers with a unit: `ms`, `s`, `min`, `h`, `d`; at most 24 days. Sizes\n"
    "likewise: `B`, `kB`, `MB`, `GB`, `TB`. Lists are separated by commas, or a JSON list, or the "
    "option repeated. A relative path is relative to\n"
    "the current folder when it comes from an option or the environment, else to the folder of "
    "the\n"
    "file that names it; defaults are relative to the folder of `migsafe.json`, without one to "
    "the\n"
    "current folder.\n\n"
    "Secrets (marked *) are shown as `***`. Give them in the environment or in a file of mode "
    "0600:\n"
    "options are seen by everyone who runs `ps`.\n\n"
    "| setting | environment | default | meaning |\n"
    "|---|---|---|---|\n";

/* "|" would end a cell. */
static char *cell(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    for (; *text != '\0'; text++) {
        if (*text == '|')
            str_add(&s, "\\");
        str_add_n(&s, text, 1);
    }
    return s.text;
}

void settings_markdown(struct arena *a, FILE *to)
{
    fputs(before_table, to);
    for (size_t i = 0; i < setting_row_count; i++) {
        const struct setting_row *row = &setting_rows[i];
        fprintf(to, "| `%s`%s | `%s`", row->key, row->flags & SETTING_SECRET ? " *" : "",
                setting_env_name(a, row));
        if (row->second != NULL)
            fprintf(to, ", `%s`", row->second);
        if (row->fallback == NULL)
            fprintf(to, " | | %s |\n", cell(a, row->help));
        else
            fprintf(to, " | `%s` | %s |\n", row->fallback, cell(a, row->help));
    }
}

static void put_types(struct json *to, const char *first, const char *second)
{
    struct json *types = json_put_array(to, "type");
    json_push(types, first);
    json_push(types, second);
}

static void put_words(struct arena *a, struct json *to, const struct setting_row *row)
{
    const struct strlist words = setting_words(a, row);
    struct json *list = json_put_array(to, "enum");
    for (size_t i = 0; i < words.count; i++)
        json_push(list, words.items[i]);
}

static void put_boolean(struct json *to, const char *fallback)
{
    json_put(to, "type", "boolean");
    if (fallback != NULL)
        json_put_bool(to, "default", strcmp(fallback, "on") == 0);
}

static void put_integer(struct json *to, const struct setting_row *row)
{
    json_put(to, "type", "integer");
    json_put_int(to, "minimum", row->flags & SETTING_POSITIVE ? 1 : 0);
    if (row->fallback != NULL)
        json_put_int(to, "default", strtol(row->fallback, NULL, 10));
}

/* The number 0 is a duration without a unit. */
static void put_duration(struct json *to, const struct setting_row *row)
{
    if (row->flags & SETTING_POSITIVE) {
        json_put(to, "type", "string");
        json_put(to, "pattern", "^0*[1-9][0-9]* *(ms|s|min|h|d)$");
        return;
    }
    put_types(to, "string", "integer");
    json_put(to, "pattern", "^(0|[0-9]+ *(ms|s|min|h|d))$");
    json_put_int(to, "minimum", 0);
    json_put_int(to, "maximum", 0);
}

/* As put_duration. */
static void put_size(struct json *to)
{
    put_types(to, "string", "integer");
    json_put(to, "pattern", "^(0|[0-9]+ *(B|kB|MB|GB|TB))$");
    json_put_int(to, "minimum", 0);
    json_put_int(to, "maximum", 0);
}

static void put_type(struct arena *a, struct json *to, const struct setting_row *row)
{
    switch (row->type) {
    case SETTING_TEXT:
        json_put(to, "type", "string");
        break;
    case SETTING_CHOICE:
        put_words(a, to, row);
        break;
    case SETTING_INTEGER:
        put_integer(to, row);
        return;
    case SETTING_DURATION_MS:
        put_duration(to, row);
        break;
    case SETTING_SIZE:
        put_size(to);
        break;
    case SETTING_BOOLEAN:
        put_boolean(to, row->fallback);
        return;
    case SETTING_LIST:
        put_types(to, "array", "string");
        json_put(json_put_object(to, "items"), "type", "string");
        break;
    }
    if (row->fallback != NULL)
        json_put(to, "default", row->fallback);
}

struct json *settings_schema(struct arena *a)
{
    struct json *j = json_object();
    json_put(j, "$schema", "http://json-schema.org/draft-07/schema#");
    json_put(j, "title", "migsafe.json");
    json_put(j, "description", "Settings of migsafe; see docs/SETTINGS.md");
    json_put(j, "type", "object");
    json_put_bool(j, "additionalProperties", false);
    struct json *properties = json_put_object(j, "properties");
    json_put(json_put_object(properties, "$schema"), "type", "string");
    for (size_t i = 0; i < setting_row_count; i++) {
        struct json *property = json_put_object(properties, setting_rows[i].key);
        json_put(property, "description", setting_rows[i].help);
        put_type(a, property, &setting_rows[i]);
    }
    return j;
}
