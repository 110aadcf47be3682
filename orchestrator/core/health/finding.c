#include "core/health/finding.h"

struct findings findings_on(struct arena *a)
{
    return (struct findings){.arena = a};
}

struct finding *findings_add(struct findings *f, struct finding item)
{
    if (f->count == f->size) {
        f->size = f->size == 0 ? 16 : f->size * 2;
        struct finding *more = arena_array(f->arena, f->size, sizeof(*more));
        if (f->count > 0)
            memcpy(more, f->items, f->count * sizeof(*more));
        f->items = more;
    }
    f->items[f->count] = item;
    return &f->items[f->count++];
}

static int by_rule_and_target(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    int order = strcmp(x->rule, y->rule);
    return order != 0 ? order : strcmp(x->target, y->target);
}

bool findings_have(const struct findings *f, const char *rule, const char *target)
{
    const struct finding sought = {.rule = rule, .target = target};
    for (size_t i = 0; i < f->count; i++)
        if (by_rule_and_target(&f->items[i], &sought) == 0)
            return true;
    return false;
}

struct findings findings_new(struct arena *a, const struct findings *now,
                             const struct findings *baseline)
{
    struct findings fresh = findings_on(a);
    fresh.default_schema = now->default_schema;
    AUTO(arena) struct arena *scratch = arena_new();
    struct finding *sorted = arena_array(scratch, baseline->count + 1, sizeof(*sorted));
    if (baseline->count > 0)
        memcpy(sorted, baseline->items, baseline->count * sizeof(*sorted));
    qsort(sorted, baseline->count, sizeof(*sorted), by_rule_and_target);
    for (size_t i = 0; i < now->count; i++) {
        const struct finding *item = &now->items[i];
        bool known = bsearch(item, sorted, baseline->count, sizeof(*sorted), by_rule_and_target);
        if (!known && !item->transient)
            findings_add(&fresh, *item);
    }
    return fresh;
}

static size_t count_level(const struct findings *f, enum finding_level level)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += f->items[i].level == level && !f->items[i].allowed;
    return n;
}

size_t findings_errors(const struct findings *f)
{
    return count_level(f, FINDING_ERROR);
}

size_t findings_warnings(const struct findings *f)
{
    return count_level(f, FINDING_WARNING);
}

const char *finding_level_name(enum finding_level level)
{
    return level == FINDING_ERROR ? "error" : "warning";
}

char *finding_line(struct arena *a, const struct finding *item)
{
    return arena_printf(a, "%s: %s: %s", item->rule, item->target, item->message);
}

char *finding_place(struct arena *a, const struct finding *item)
{
    if (item->file == NULL)
        return arena_strdup(a, "");
    return item->line == 0 ? arena_strdup(a, item->file)
                           : arena_printf(a, "%s:%zu", item->file, item->line);
}

void findings_relative_to(struct findings *f, const char *folder)
{
    size_t n = strlen(folder);
    for (size_t i = 0; i < f->count; i++) {
        const char *file = f->items[i].file;
        if (file != NULL && str_starts(file, folder) && file[n] == '/')
            f->items[i].file = file + n + 1;
    }
}

void findings_json(const struct findings *f, struct json *array)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *item = &f->items[i];
        struct json *j = json_push_object(array);
        json_put(j, "rule", item->rule);
        json_put(j, "level", finding_level_name(item->level));
        json_put(j, "target", item->target);
        json_put(j, "message", item->message);
        json_put(j, "advice", item->advice);
        json_put_bool(j, "transient", item->transient);
        json_put_bool(j, "allowed", item->allowed);
        json_put(j, "allowed_by", item->allowed_by);
        json_put(j, "file", item->file);
        if (item->line > 0)
            json_put_int(j, "line", (int64_t)item->line);
        else
            json_put(j, "line", NULL);
    }
}

static const char *copied(struct arena *a, const struct json *j, const char *key)
{
    const char *text = json_str(j, key, NULL);
    return text == NULL ? NULL : arena_strdup(a, text);
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

void findings_add_json(struct findings *f, const struct json *array)
{
    struct arena *a = f->arena;
    for (size_t i = 0; i < json_count(array); i++) {
        const struct json *j = json_at(array, i);
        bool error = str_same(json_str(j, "level", ""), "error");
        findings_add(f, (struct finding){
                            .rule = or_empty(copied(a, j, "rule")),
                            .level = error ? FINDING_ERROR : FINDING_WARNING,
                            .target = or_empty(copied(a, j, "target")),
                            .message = or_empty(copied(a, j, "message")),
                            .advice = copied(a, j, "advice"),
                            .transient = json_bool(j, "transient", false),
                            .allowed = json_bool(j, "allowed", false),
                            .allowed_by = copied(a, j, "allowed_by"),
                            .file = copied(a, j, "file"),
                            .line = (size_t)json_int(j, "line", 0),
                        });
    }
}

void findings_print(const struct findings *f, FILE *to)
{
    AUTO(arena) struct arena *scratch = arena_new();
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *item = &f->items[i];
        fprintf(to, "%s: %s\n", item->allowed ? "allowed" : finding_level_name(item->level),
                finding_line(scratch, item));
        const char *place = finding_place(scratch, item);
        if (place[0] != '\0')
            fprintf(to, "    at %s\n", place);
        if (item->allowed)
            fprintf(to, "    allowed by %s\n", or_empty(item->allowed_by));
        else if (item->advice != NULL)
            fprintf(to, "    %s\n", item->advice);
    }
}
