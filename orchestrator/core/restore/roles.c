#include "core/restore/roles.h"

#include "ext/pg.h"

#include <ctype.h>
#include <strings.h>

/* One word of a statement: a name, quoted or not, a keyword, or a single sign. */
struct word {
    const char *text;
    bool quoted;
};

static void add_once(struct strlist *names, const char *name)
{
    if (name != NULL && name[0] != '\0' && !strlist_has(names, name))
        strlist_add(names, arena_strdup(names->arena, name));
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 128;
}

/* Between two quotes of a kind; one that is doubled stands for itself. */
static const char *quoted(struct arena *a, const char *p, struct str *out)
{
    char quote = *p++;
    *out = str_on(a);
    for (; *p != '\0'; p++) {
        if (*p == quote && p[1] != quote)
            return p + 1;
        p += *p == quote;
        str_add_n(out, p, 1);
    }
    return p;
}

/* NULL at the end. */
static const char *next_word(struct arena *a, const char *p, struct word *w)
{
    p += strspn(p, " \t\r\n");
    *w = (struct word){.text = ""};
    if (*p == '\0')
        return NULL;
    if (*p == '"' || *p == '\'') {
        struct str s;
        bool name = *p == '"';
        p = quoted(a, p, &s);
        *w = (struct word){name ? s.text : "'", true};
        return p;
    }
    size_t n = 1;
    if (is_name_byte(*p))
        while (is_name_byte(p[n]))
            n++;
    w->text = arena_strndup(a, p, n);
    return p + n;
}

static bool is_word(const struct word *w, const char *keyword)
{
    return !w->quoted && strcasecmp(w->text, keyword) == 0;
}

static bool is_nobody(const struct word *w)
{
    static const char *const keywords[] = {"PUBLIC", "CURRENT_USER", "SESSION_USER",
                                           "CURRENT_ROLE"};
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if (is_word(w, keywords[i]))
            return true;
    return false;
}

/* A list of roles follows these, outside of parentheses. */
static bool begins_roles(const struct word *before, const struct word *w)
{
    return !is_word(before, ".") && (is_word(w, "TO") || is_word(w, "FROM") || is_word(w, "ROLE") ||
                                     is_word(w, "AUTHORIZATION"));
}

void roles_of_statement(struct strlist *names, const char *sql)
{
    AUTO(arena) struct arena *a = arena_new();
    struct word w, before = {.text = ""};
    bool wanted = false, after_role = false; /* a role comes next; the word before was one */
    int depth = 0;
    for (const char *p = next_word(a, sql, &w); p != NULL; p = next_word(a, p, &w)) {
        depth += is_word(&w, "(") ? 1 : is_word(&w, ")") ? -1 : 0;
        bool is_role = wanted && (w.quoted || is_name_byte(w.text[0]));
        if (is_role && !is_nobody(&w))
            add_once(names, w.text);
        wanted = depth == 0 && ((after_role && is_word(&w, ",")) || begins_roles(&before, &w));
        after_role = is_role;
        before = w;
    }
}

static bool names_roles(const struct toc_entry *entry)
{
    return strcmp(entry->type, "ACL") == 0 || strcmp(entry->type, "DEFAULT ACL") == 0 ||
           strcmp(entry->type, "POLICY") == 0;
}

static void add_owners(struct strlist *names, const struct roles_spec *spec)
{
    if (spec->no_owner)
        return;
    add_once(names, spec->facts->owner);
    for (size_t i = 0; spec->toc != NULL && i < spec->toc->count; i++)
        add_once(names, spec->toc->entries[i].owner);
}

static void add_granted(struct strlist *names, const struct roles_spec *spec)
{
    for (size_t i = 0; spec->toc != NULL && i < spec->toc->count; i++) {
        const struct toc_entry *entry = &spec->toc->entries[i];
        bool policy = strcmp(entry->type, "POLICY") == 0;
        if (names_roles(entry) && entry->definition != NULL && (policy || !spec->no_acl))
            roles_of_statement(names, entry->definition);
    }
    for (size_t i = 0; !spec->no_acl && i < spec->facts->role_settings.count; i++) {
        const char *setting = spec->facts->role_settings.items[i];
        add_once(names, arena_strndup(names->arena, setting, strcspn(setting, "\n")));
    }
}

/* Names of an archive are in its own encoding. */
static bool ask(struct pg *db, const struct roles_spec *spec, const char *sql,
                const struct strlist *names, struct pg_rows *rows, struct err *e)
{
    struct arena *a = names->arena;
    return pg_execf(db, e, "SET client_encoding = %s", pg_literal(a, spec->facts->encoding)) &&
           pg_query(a, db, sql, PG_ARGS(pg_array(a, names->items, names->count)), rows, e) &&
           pg_exec(db, "SET client_encoding = 'UTF8'", e);
}

static char *list_of(struct arena *a, const struct pg_rows *rows)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < rows->count; i++)
        str_item(&s, ", ", pg_ident(a, pg_cell(rows, i, "role")));
    return s.text;
}

bool roles_exist(struct arena *a, struct pg *db, const struct roles_spec *spec, struct err *e)
{
    struct strlist names = strlist_on(a);
    struct pg_rows rows;
    add_owners(&names, spec);
    add_granted(&names, spec);
    if (!ask(db, spec,
             "SELECT role FROM unnest($1::text[]) AS u (role)"
             " WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) ORDER BY role",
             &names, &rows, e))
        return false;
    if (rows.count == 0)
        return true;
    err_set(e, ERR_PREFLIGHT, "the server has no role %s", list_of(a, &rows));
    err_detail(e, "They own what is to be restored, or have rights on it.");
    err_hint(e, "Create them, or add --no-owner and --no-acl to restore into a new database"
                " without owners and rights.");
    return false;
}

/* Giving rights to a thing, or a comment, takes an owner's privileges; making it his takes
 * membership too, which the owner of a database does not have in pg_database_owner, the usual owner
 * of schema public. */
static bool makes_nothing(const struct toc_entry *entry)
{
    return strcmp(entry->type, "ACL") == 0 || strcmp(entry->type, "COMMENT") == 0 ||
           strcmp(entry->type, "SECURITY LABEL") == 0;
}

static void add_used(struct strlist *makers, struct strlist *grantors,
                     const struct roles_spec *spec)
{
    if (spec->no_owner)
        return;
    add_once(makers, spec->facts->owner);
    for (size_t i = 0; spec->toc != NULL && i < spec->toc->count; i++) {
        const struct toc_entry *entry = &spec->toc->entries[i];
        add_once(makes_nothing(entry) ? grantors : makers, entry->owner);
    }
}

bool roles_usable(struct arena *a, struct pg *db, const struct roles_spec *spec, struct err *e)
{
    struct strlist makers = strlist_on(a), grantors = strlist_on(a);
    struct pg_rows rows;
    add_used(&makers, &grantors, spec);
    if (!ask(db, spec,
             "SELECT role FROM unnest($1::text[]) AS u (role)"
             " WHERE NOT pg_has_role(role, 'MEMBER') ORDER BY role",
             &makers, &rows, e) ||
        (rows.count == 0 && !ask(db, spec,
                                 "SELECT role FROM unnest($1::text[]) AS u (role)"
                                 " WHERE NOT pg_has_role(role, 'USAGE') ORDER BY role",
                                 &grantors, &rows, e)))
        return false;
    if (rows.count == 0)
        return true;
    err_set(e, ERR_PREFLIGHT, "this role may not make objects of role %s", list_of(a, &rows));
    err_hint(e, "Grant it these roles, or set admin-url to a role that has them.");
    return false;
}
