#include "core/init/npm_scripts.h"

#include "ext/json.h"

/*
 * cJSON says whether the text is JSON at all and, afterwards, whether the new text
 * says what it should; where things stand in it, only a walk of our own can tell.
 * That walk may rely on valid JSON.  Positions are offsets into the text.
 */
struct member {
    size_t gap; /* behind "{" or "," */
    size_t key, key_end, value, value_end;
    const char *name;
};

struct object {
    size_t open, close; /* of the braces */
    struct member *members;
    size_t count;
};

struct text {
    struct arena *arena;
    const char *at;
    size_t length;
};

/* As cJSON has it. */
static size_t skip_blanks(const struct text *t, size_t i)
{
    while (i < t->length && (unsigned char)t->at[i] <= ' ')
        i++;
    return i;
}

static size_t skip_string(const struct text *t, size_t i)
{
    for (i++; i < t->length && t->at[i] != '"'; i++)
        if (t->at[i] == '\\')
            i++;
    return i < t->length ? i + 1 : t->length;
}

static size_t skip_nested(const struct text *t, size_t i)
{
    int depth = 0;
    while (i < t->length) {
        char c = t->at[i];
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        i = c == '"' ? skip_string(t, i) : i + 1;
        if (depth == 0)
            break;
    }
    return i;
}

static size_t skip_value(const struct text *t, size_t i)
{
    if (i < t->length && t->at[i] == '"')
        return skip_string(t, i);
    if (i < t->length && strchr("{[", t->at[i]) != NULL)
        return skip_nested(t, i);
    while (i < t->length && (unsigned char)t->at[i] > ' ' && strchr(",]}", t->at[i]) == NULL)
        i++;
    return i;
}

static const char *decoded(const struct text *t, size_t from, size_t to)
{
    struct err ignored = {0};
    AUTO(json) struct json *j = json_parse(t->at + from, to - from, &ignored);
    const char *name = json_text_of(j);
    return arena_strdup(t->arena, name == NULL ? "" : name);
}

static void add_member(struct arena *a, struct object *o, struct member m)
{
    if ((o->count & (o->count - 1)) == 0) { /* room for 1, 2, 4 ... */
        struct member *more = arena_array(a, o->count == 0 ? 1 : o->count * 2, sizeof(*more));
        if (o->count > 0)
            memcpy(more, o->members, o->count * sizeof(*more));
        o->members = more;
    }
    o->members[o->count++] = m;
}

/* open: the place of its "{". */
static struct object read_object(const struct text *t, size_t open)
{
    struct object o = {.open = open};
    for (size_t i = open + 1;; i++) { /* over the "," */
        struct member m = {.gap = i, .key = skip_blanks(t, i)};
        if (m.key >= t->length || t->at[m.key] != '"') { /* "}" */
            o.close = m.key;
            return o;
        }
        m.key_end = skip_string(t, m.key);
        m.value = skip_blanks(t, skip_blanks(t, m.key_end) + 1);
        m.value_end = skip_value(t, m.value);
        m.name = decoded(t, m.key, m.key_end);
        add_member(t->arena, &o, m);
        i = skip_blanks(t, m.value_end);
        if (i >= t->length || t->at[i] != ',') {
            o.close = i;
            return o;
        }
    }
}

/* The last of that name counts, as for npm.  NULL: none. */
static const struct member *member_named(const struct object *o, const char *name)
{
    for (size_t i = o->count; i > 0; i--)
        if (strcmp(o->members[i - 1].name, name) == 0)
            return &o->members[i - 1];
    return NULL;
}

static const struct member *last_member(const struct object *o)
{
    return o->count == 0 ? NULL : &o->members[o->count - 1];
}

/* --- form ------------------------------------------------------------------------------------- */

/* What stands before the member's key, a line's end and its indentation without empty lines. */
static const char *gap_of(const struct text *t, const struct member *m)
{
    const char *gap = arena_strndup(t->arena, t->at + m->gap, m->key - m->gap);
    const char *line = strrchr(gap, '\n');
    if (line == NULL)
        return gap;
    return line > gap && line[-1] == '\r' ? line - 1 : line;
}

static const char *colon_of(const struct text *t, const struct member *m)
{
    const char *colon = arena_strndup(t->arena, t->at + m->key_end, m->value - m->key_end);
    return strchr(colon, '\n') == NULL ? colon : ": ";
}

/* How the members of an object below a member with this gap are parted: a step further in, the step
 * being the indentation of the outermost members. */
static const char *inner_gap(const struct text *t, const char *gap)
{
    const char *line = strchr(gap, '\n');
    if (line == NULL)
        return gap;
    return arena_printf(t->arena, "%s%s", gap, line[1] == '\0' ? "  " : line + 1);
}

struct form {
    const char *gap, *colon, *close; /* close: before the "}"; NULL: it is there */
};

static void add_scripts(const struct text *t, const struct npm_script *const *scripts,
                        const struct form *form, struct str *to)
{
    AUTO(json) struct json *quoted = json_object();
    for (size_t i = 0; scripts[i] != NULL; i++) {
        json_put(quoted, "s", scripts[i]->command);
        str_printf(to, "%s%s\"%s\"%s%s", i == 0 ? "" : ",", form->gap, scripts[i]->name,
                   form->colon, json_text(t->arena, json_find(quoted, "s")));
    }
    if (form->close != NULL)
        str_add(to, form->close);
}

/* --- the three places ------------------------------------------------------------------------- */

static const struct npm_script *script_named(const struct npm_script *scripts, const char *name)
{
    for (; scripts->name != NULL; scripts++)
        if (strcmp(scripts->name, name) == 0)
            return scripts;
    return NULL;
}

/* The text up to the end of the object's last member, with commands replaced. */
static void copy_members(const struct text *t, const struct object *o,
                         const struct npm_script *scripts, const struct strlist *replaced,
                         struct str *to)
{
    size_t from = 0;
    AUTO(json) struct json *quoted = json_object();
    for (size_t i = 0; i < o->count; i++) {
        const struct member *m = &o->members[i];
        str_add_n(to, t->at + from, m->value - from);
        from = m->value;
        const struct npm_script *anew =
            strlist_has(replaced, m->name) ? script_named(scripts, m->name) : NULL;
        if (anew != NULL && m == member_named(o, m->name)) {
            json_put(quoted, "s", anew->command);
            str_add(to, json_text(t->arena, json_find(quoted, "s")));
            from = m->value_end;
        }
        str_add_n(to, t->at + from, m->value_end - from);
        from = m->value_end;
    }
}

/* "scripts" with members, or empty. */
static char *into_scripts(const struct text *t, const struct object *o, const struct member *where,
                          const struct npm_script *const *missing, const struct npm_script *scripts,
                          const struct strlist *replaced)
{
    const struct member *last = last_member(o);
    struct str s = str_on(t->arena);
    size_t rest;
    if (last != NULL) {
        copy_members(t, o, scripts, replaced, &s);
        const struct form form = {.gap = gap_of(t, last), .colon = colon_of(t, last)};
        if (missing[0] != NULL)
            str_add(&s, ",");
        add_scripts(t, missing, &form, &s);
        rest = last->value_end;
    } else {
        const char *gap = gap_of(t, where);
        const struct form form = {inner_gap(t, gap), colon_of(t, where), gap};
        str_add_n(&s, t->at, o->open + 1);
        add_scripts(t, missing, &form, &s);
        rest = o->close;
    }
    str_add_n(&s, t->at + rest, t->length - rest);
    return s.text;
}

/* No "scripts": it becomes the last member. */
static char *beside_others(const struct text *t, const struct object *top,
                           const struct npm_script *const *missing)
{
    const struct member *last = last_member(top);
    struct str s = str_on(t->arena);
    size_t rest = last == NULL ? top->close : last->value_end;
    const char *gap = last == NULL ? "\n  " : gap_of(t, last);
    const char *colon = last == NULL ? ": " : colon_of(t, last);
    const struct form form = {inner_gap(t, gap), colon, gap};
    str_add_n(&s, t->at, last == NULL ? top->open + 1 : rest);
    str_printf(&s, "%s%s\"scripts\"%s{", last == NULL ? "" : ",", gap, colon);
    add_scripts(t, missing, &form, &s);
    str_add(&s, last == NULL ? "}\n" : "}");
    str_add_n(&s, t->at + rest, t->length - rest);
    return s.text;
}

/* --- the proof -------------------------------------------------------------------------------- */

static bool scripts_said(const struct json *scripts, const struct npm_scripts_result *r,
                         const struct npm_script *wanted)
{
    for (; wanted->name != NULL; wanted++)
        if (!strlist_has(&r->left, wanted->name) &&
            !str_same(json_str(scripts, wanted->name, NULL), wanted->command))
            return false;
    return true;
}

/* Everything but "scripts" says what it said, and "scripts" what was wanted. */
static bool check_result(struct arena *a, const char *before, const struct npm_scripts_result *r,
                         const struct npm_script *wanted)
{
    struct err ignored = {0};
    AUTO(json) struct json *was = json_parse(before, strlen(before), &ignored);
    AUTO(json) struct json *is = json_parse(r->text, strlen(r->text), &ignored);
    const struct json *w = json_first(was), *scripts = NULL;
    if (is == NULL)
        return false;
    for (const struct json *j = json_first(is); j != NULL; j = json_next(j)) {
        if (strcmp(json_key(j), "scripts") == 0)
            scripts = j;
        else if (w == NULL || strcmp(json_text(a, w), json_text(a, j)) != 0)
            return false;
        w = w == NULL ? NULL : json_next(w);
    }
    return w == NULL && scripts_said(scripts, r, wanted);
}

/* ---------------------------------------------------------------------------------------------- */

static bool check_text(const char *text, struct err *e)
{
    AUTO(json) struct json *j = json_parse(text, strlen(text), e);
    if (j == NULL) {
        e->kind = ERR_CONFIG;
        return false;
    }
    return json_is_object(j) || err_set(e, ERR_CONFIG, "not a JSON object");
}

/* Sorts what is wanted into the result's lists; -> what is not there, NULL-terminated. */
static const struct npm_script *const *sort_out(const struct text *t, const struct object *o,
                                                const struct npm_script *scripts, bool replace,
                                                struct npm_scripts_result *r)
{
    size_t count = 0, n = 0;
    while (scripts[count].name != NULL)
        count++;
    const struct npm_script **missing =
        arena_array(t->arena, count + 1, sizeof(const struct npm_script *));
    for (size_t i = 0; i < count; i++) {
        const struct member *m = member_named(o, scripts[i].name);
        if (m == NULL) {
            missing[n++] = &scripts[i];
            strlist_add(&r->added, scripts[i].name);
        } else if (t->at[m->value] != '"' ||
                   strcmp(decoded(t, m->value, m->value_end), scripts[i].command) != 0) {
            strlist_add(replace ? &r->replaced : &r->left, scripts[i].name);
        }
    }
    return missing;
}

bool npm_scripts_put(struct arena *a, const char *text, const struct npm_script *scripts,
                     bool replace, struct npm_scripts_result *result, struct err *e)
{
    *result = (struct npm_scripts_result){
        .text = text, .added = strlist_on(a), .replaced = strlist_on(a), .left = strlist_on(a)};
    if (!check_text(text, e))
        return false;
    const struct text t = {.arena = a, .at = text, .length = strlen(text)};
    const struct object top = read_object(&t, strcspn(text, "{"));
    const struct member *where = member_named(&top, "scripts");
    if (where != NULL && text[where->value] != '{')
        return err_set(e, ERR_CONFIG, "\"scripts\" is not a JSON object");
    const struct object there = where == NULL ? (struct object){0} : read_object(&t, where->value);
    const struct npm_script *const *missing = sort_out(&t, &there, scripts, replace, result);
    if (missing[0] == NULL && result->replaced.count == 0)
        return true;
    result->text = where == NULL
                       ? beside_others(&t, &top, missing)
                       : into_scripts(&t, &there, where, missing, scripts, &result->replaced);
    return check_result(a, text, result, scripts) ||
           err_set(e, ERR_INTERNAL, "the scripts could not be put into this text");
}
