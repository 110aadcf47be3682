#include "core/schema/acl.h"

static const struct {
    char letter;
    const char *word;
} privileges[] = {{'C', "CREATE"}, {'T', "TEMPORARY"}, {'c', "CONNECT"}};

/* One element of an array at *text, which is moved behind it. */
static char *read_element(struct arena *a, const char **text)
{
    struct str one = str_on(a);
    const char *p = *text;
    bool quoted = *p == '"';
    for (p += quoted; *p != '\0' && strchr(quoted ? "\"" : ",}", *p) == NULL; p++) {
        p += *p == '\\' && p[1] != '\0';
        str_add_n(&one, p, 1);
    }
    *text = p + (quoted && *p == '"');
    return one.text;
}

/* The elements of a one-dimensional array as PostgreSQL prints it: {a,"b \" c"}. */
static bool split_array(struct arena *a, const char *text, struct strlist *elements)
{
    *elements = strlist_on(a);
    if (strcmp(text, "{}") == 0)
        return true;
    for (char before = '{'; *text == before; before = ',') {
        text++;
        strlist_add(elements, read_element(a, &text));
    }
    return strcmp(text, "}") == 0;
}

/* A role at *text, which is moved behind it: a plain word up to `end`, or "quoted ""so""". */
static char *read_role(struct arena *a, const char **text, char end)
{
    struct str role = str_on(a);
    const char *p = *text;
    if (*p != '"') {
        for (; *p != '\0' && *p != end; p++)
            str_add_n(&role, p, 1);
        *text = p;
        return role.text;
    }
    for (p++; *p != '\0' && !(*p == '"' && p[1] != '"'); p++) {
        str_add_n(&role, p, 1);
        p += *p == '"';
    }
    *text = p + (*p == '"');
    return role.text;
}

static bool read_item(struct arena *a, const char *text, struct acl_item *item)
{
    item->grantee = read_role(a, &text, '=');
    if (*text++ != '=')
        return false;
    size_t n = strspn(text, "CTc*");
    item->privileges = arena_strndup(a, text, n);
    text += n;
    if (*text++ != '/')
        return false;
    item->grantor = read_role(a, &text, '\0');
    return *text == '\0' && item->grantor[0] != '\0' && item->privileges[0] != '*';
}

bool acl_parse(struct arena *a, const char *text, const char *owner, struct acl *acl, struct err *e)
{
    struct strlist elements;
    if (text == NULL) {
        acl->items = arena_array(a, 2, sizeof(*acl->items));
        acl->items[0] = (struct acl_item){"", owner, "Tc"};
        acl->items[1] = (struct acl_item){owner, owner, "CTc"};
        acl->count = 2;
        return true;
    }
    bool ok = split_array(a, text, &elements);
    acl->items = arena_array(a, elements.count + 1, sizeof(*acl->items));
    acl->count = elements.count;
    for (size_t i = 0; ok && i < elements.count; i++)
        ok = read_item(a, elements.items[i], &acl->items[i]);
    return ok ||
           err_set(e, ERR_DAMAGED, "access rights of a database cannot be read: \"%s\"", text);
}

static bool has_item(const struct acl *acl, const struct acl_item *item)
{
    for (size_t i = 0; i < acl->count; i++)
        if (strcmp(acl->items[i].grantee, item->grantee) == 0 &&
            strcmp(acl->items[i].grantor, item->grantor) == 0 &&
            strcmp(acl->items[i].privileges, item->privileges) == 0)
            return true;
    return false;
}

/* The server has one item for each pair of grantee and grantor. */
bool acl_equal(const struct acl *a, const struct acl *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!has_item(b, &a->items[i]))
            return false;
    return a->count == b->count;
}

char *acl_words(struct arena *a, const struct acl_item *item, bool grantable)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < ARRAY_LEN(privileges); i++) {
        const char *at = strchr(item->privileges, privileges[i].letter);
        if (at != NULL && (at[1] == '*') == grantable)
            str_item(&s, ", ", privileges[i].word);
    }
    return s.text;
}
