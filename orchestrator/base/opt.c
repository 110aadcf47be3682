#include "base/opt.h"

static const struct opt *find(const struct opt *opts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(opts[i].name, name) == 0)
            return &opts[i];
    return NULL;
}

static bool no_value(const char *name, struct err *e)
{
    return err_set(e, ERR_USAGE, "option \"--%s\" requires a value", name);
}

/* The words still to be read. */
struct reader {
    const char *const *next;
    struct arena *arena;
};

static bool take_value(struct reader *r, const char *name, const char **value, struct err *e)
{
    if (*value == NULL) {
        if (*r->next == NULL)
            return no_value(name, e);
        *value = *r->next++;
    }
    return true;
}

static bool set(const struct opt *opt, struct reader *r, const char *value, struct err *e)
{
    if (opt->type == OPT_FLAG) {
        if (value != NULL)
            return err_set(e, ERR_USAGE, "option \"--%s\" takes no value", opt->name);
        *(bool *)opt->target = true;
        return true;
    }
    if (!take_value(r, opt->name, &value, e))
        return false;
    if (opt->type == OPT_LIST)
        strlist_add(opt->target, value);
    else
        *(const char **)opt->target = value;
    return true;
}

static bool set_other(opt_other_fn *other, void *context, const char *name, const char *value,
                      struct reader *r, struct err *e)
{
    enum opt_answer answer = other == NULL ? OPT_UNKNOWN : other(context, name, value, e);
    if (answer == OPT_WANTS_VALUE) {
        if (!take_value(r, name, &value, e))
            return false;
        answer = other(context, name, value, e);
    }
    if (answer == OPT_UNKNOWN) {
        err_set(e, ERR_USAGE, "unrecognized option \"--%s\"", name);
        err_hint(e, "Run the command with --help for its options; \"migsafe settings --help\" lists"
                    " the settings, which are options of every command.");
    }
    return answer == OPT_TAKEN;
}

bool opt_parse(const struct opt *opts, size_t count, struct strlist *args, opt_other_fn *other,
               void *context, struct err *e)
{
    struct reader r = {.next = args->items, .arena = args->arena};
    struct strlist operands = strlist_on(args->arena);
    bool only_operands = args->count == 0;
    for (const char *word; (word = *r.next) != NULL;) {
        r.next++;
        if (only_operands || word[0] != '-' || word[1] == '\0') {
            strlist_add(&operands, word);
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_operands = true;
            continue;
        }
        if (word[1] != '-')
            return err_set(e, ERR_USAGE, "unrecognized option \"%s\"", word);
        const char *equals = strchr(word, '=');
        const char *name = arena_strndup(args->arena, word + 2,
                                         equals ? (size_t)(equals - word) - 2 : strlen(word + 2));
        const char *value = equals ? equals + 1 : NULL;
        const struct opt *opt = find(opts, count, name);
        bool ok =
            opt != NULL ? set(opt, &r, value, e) : set_other(other, context, name, value, &r, e);
        if (!ok)
            return false;
    }
    *args = operands;
    return true;
}

void opt_help(const struct opt *opts, size_t count, FILE *to)
{
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof(left), "--%s%s%s", opts[i].name, opts[i].value ? " " : "",
                 opts[i].value ? opts[i].value : "");
        fprintf(to, "  %-26s %s\n", left, opts[i].help);
    }
}
