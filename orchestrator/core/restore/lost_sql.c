/*
 * The statements of lost-writes.sql.  Each leaves out what it cannot do, so that none
 * fails for a single row: a row that is not as the backup had it, a referenced row that is
 * not there, rows that still refer to one, a unique value that another row has.  What is
 * left out for another row of the same file is done by a later pass.
 */
#include "core/restore/lost_table.h"

char *lost_line(struct arena *a, const char *text)
{
    char *line = arena_strdup(a, text);
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
    return line;
}

char *lost_ident(struct arena *a, const char *name)
{
    if (strpbrk(name, "\n\r") == NULL)
        return pg_ident(a, name);
    struct str s = str_on(a);
    str_add(&s, "U&\"");
    for (const char *c = name; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            str_printf(&s, "\\%04X", (unsigned)*c);
        else
            str_printf(&s, "%s%c", *c == '\\' ? "\\" : *c == '"' ? "\"" : "", *c);
    str_add(&s, "\"");
    return s.text;
}

char *lost_literal(struct arena *a, const char *text)
{
    if (strpbrk(text, "\n\r") == NULL)
        return pg_literal(a, text);
    struct str s = str_on(a);
    str_add(&s, "E'");
    for (const char *c = text; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            str_add(&s, *c == '\n' ? "\\n" : "\\r");
        else
            str_printf(&s, "%s%c", *c == '\\' ? "\\" : *c == '\'' ? "'" : "", *c);
    str_add(&s, "'");
    return s.text;
}

char *lost_ident2(struct arena *a, const char *schema, const char *name)
{
    return arena_printf(a, "%s.%s", lost_ident(a, schema), lost_ident(a, name));
}

char *lost_temp(struct arena *a, const struct lost_table *t)
{
    return arena_printf(a, "pg_temp.migsafe_lost_%d", t->number);
}

static const char *target(struct arena *a, const struct lost_table *t)
{
    return lost_ident2(a, t->was->schema, t->was->name);
}

char *lost_sql_temp(struct arena *a, const struct lost_table *t)
{
    struct str s = str_on(a);
    str_printf(&s, "CREATE TEMP TABLE migsafe_lost_%d (op text, part text%s", t->number,
               t->keys > 0 ? "" : ", \"then\" bigint, now bigint");
    for (size_t i = 0; i < t->count; i++) {
        const struct lost_column *c = &t->columns[i];
        const char *type = lost_line(a, c->bare != NULL ? c->bare : c->type);
        if (lost_has(t, i, 'o'))
            str_printf(&s, ", o%zu %s", i + 1, type);
        if (lost_has(t, i, 'n'))
            str_printf(&s, ", n%zu %s", i + 1, type);
    }
    str_add(&s, ")");
    return s.text;
}

/* A row as one value that is the same only when every bit is: types need no equality for it. */
static const char *image(struct arena *a, const struct lost_table *t, const char *of, char side,
                         bool known)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < t->count; i++) {
        const struct lost_column *c = &t->columns[i];
        if (known && c->kept == NULL)
            continue;
        if (side != 't')
            str_item(&s, ", ", arena_printf(a, "%s.%c%zu", of, side, i + 1));
        else
            str_item(&s, ", ",
                     arena_printf(a, "%s.%s%s%s", of, lost_ident(a, c->name),
                                  c->bare == NULL ? "" : "::",
                                  c->bare == NULL ? "" : lost_line(a, c->bare)));
    }
    return arena_printf(a, "ROW(%s)::record", s.text);
}

static const char *is_same(struct arena *a, const char *x, const char *y)
{
    return arena_printf(a, "%s OPERATOR(pg_catalog.*=) %s", x, y);
}

static const char *key_is(struct arena *a, const struct lost_table *t, const char *fmt)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < t->count; i++) {
        const struct lost_column *c = &t->columns[i];
        if (c->key == 0)
            continue;
        str_item(&s, " AND ", arena_printf(a, "t.%s %s ", lost_ident(a, c->name), c->operator));
        for (const char *f = fmt; *f != '\0'; f++)
            if (*f == '#')
                str_printf(&s, "%zu", i + 1);
            else
                str_add_n(&s, f, 1);
    }
    return s.text;
}

static size_t column_of(const struct lost_table *t, const char *name)
{
    size_t i = 0;
    while (i < t->count && strcmp(t->columns[i].name, name) != 0)
        i++;
    return i;
}

/* --- what is in the way ---------------------------------------------------------------------- */

/* " AND NOT EXISTS (a row that refers to the one deleted)" */
static void no_children(struct str *s, const struct lost_plan *p, const struct lost_table *t)
{
    struct arena *a = s->arena;
    for (size_t l = 0; l < p->link_count; l++) {
        const struct lost_link *link = &p->links[l];
        if (!str_same(link->parent_oid, t->live_oid))
            continue;
        str_printf(s, " AND NOT EXISTS (SELECT FROM %s c WHERE ", link->child);
        for (size_t i = 0; i < link->count; i++)
            str_printf(s, "%st.%s %s c.%s", i == 0 ? "" : " AND ",
                       lost_ident(a, link->pairs[i].parent), link->pairs[i].operator,
                       lost_ident(a, link->pairs[i].child));
        str_add(s, ")");
    }
}

static bool all_known(const struct lost_table *t, const struct lost_link *link)
{
    for (size_t i = 0; i < link->count; i++) {
        size_t at = column_of(t, link->pairs[i].child);
        if (at == t->count || t->columns[at].kept == NULL)
            return false;
    }
    return true;
}

/* " AND (d.x IS NULL OR EXISTS (the row referred to))" */
static void has_parents(struct str *s, const struct lost_plan *p, const struct lost_table *t)
{
    struct arena *a = s->arena;
    for (size_t l = 0; l < p->link_count; l++) {
        const struct lost_link *link = &p->links[l];
        if (!str_same(link->child_oid, t->live_oid) || link->of_parts || !all_known(t, link))
            continue;
        struct str is_null = str_on(a), there = str_on(a);
        for (size_t i = 0; i < link->count; i++) {
            const struct lost_pair *pair = &link->pairs[i];
            size_t at = column_of(t, pair->child) + 1;
            str_item(&is_null, " OR ", arena_printf(a, "d.n%zu IS NULL", at));
            str_item(
                &there, " AND ",
                arena_printf(a, "r.%s %s d.n%zu", lost_ident(a, pair->parent), pair->operator, at));
        }
        str_printf(s, " AND (%s OR EXISTS (SELECT FROM %s r WHERE %s))", is_null.text, link->parent,
                   there.text);
    }
}

/* Rows of a table that refers to itself wait for one another: as often as it finds some. */
static char *repeated(struct arena *a, const struct lost_plan *p, const struct lost_table *t,
                      char *sql)
{
    bool own = false;
    const char *tag = "$again$";
    for (size_t l = 0; l < p->link_count; l++)
        own = own || (str_same(p->links[l].child_oid, t->live_oid) &&
                      str_same(p->links[l].parent_oid, t->live_oid));
    while (strstr(sql, tag) != NULL)
        tag = arena_printf(a, "$again%zu$", strlen(tag));
    return !own ? sql
                : arena_printf(a, "DO %sBEGIN LOOP %s; EXIT WHEN NOT FOUND; END LOOP; END%s", tag,
                               sql, tag);
}

/* " AND NOT EXISTS (another row with the unique value)" */
static void is_free(struct str *s, const struct lost_plan *p, const struct lost_table *t)
{
    struct arena *a = s->arena;
    for (size_t u = 0; u < p->unique_count; u++) {
        const struct lost_link *unique = &p->uniques[u];
        if (!str_same(unique->child_oid, t->live_oid) || !all_known(t, unique))
            continue;
        str_printf(s, " AND NOT EXISTS (SELECT FROM ONLY %s c WHERE c.ctid <> t.ctid",
                   target(a, t));
        for (size_t i = 0; i < unique->count; i++)
            str_printf(s, " AND c.%s %s d.n%zu", lost_ident(a, unique->pairs[i].child),
                       unique->pairs[i].operator, column_of(t, unique->pairs[i].child) + 1);
        str_add(s, ")");
    }
}

/* --- tables without a primary key ------------------------------------------------------------ */

/* Rows of live that are like one in the file, and how many. */
static const char *like(struct arena *a, const struct lost_table *t)
{
    return arena_printf(a,
                        "SELECT %s::text AS r, count(*) AS n FROM ONLY %s t WHERE %s::text IN"
                        " (SELECT %s::text FROM %s d) GROUP BY 1",
                        image(a, t, "t", 't', true), target(a, t), image(a, t, "t", 't', true),
                        image(a, t, "d", 'n', true), lost_temp(a, t));
}

static char *state_of_rows(struct arena *a, const struct lost_table *t, char part)
{
    return arena_printf(
        a,
        "WITH l AS (%s) SELECT %s AS \"table\","
        " COALESCE(sum(d.now - d.\"then\") FILTER (WHERE d.op = 'i'), 0) AS inserts,"
        " COALESCE(sum(least(d.now - d.\"then\", greatest(COALESCE(l.n, 0) - d.\"then\", 0)))"
        " FILTER (WHERE d.op = 'i'), 0) AS inserts_there, 0 AS updates, 0 AS updates_there,"
        " COALESCE(sum(d.\"then\" - d.now) FILTER (WHERE d.op = 'd'), 0) AS deletes,"
        " COALESCE(sum(least(d.\"then\" - d.now, greatest(d.\"then\" - COALESCE(l.n, 0), 0)))"
        " FILTER (WHERE d.op = 'd'), 0) AS deletes_there"
        " FROM %s d LEFT JOIN l ON l.r = %s::text WHERE d.part = '%c'",
        like(a, t),
        pg_literal(a, lost_line(a, arena_printf(a, "%s.%s", t->was->schema, t->was->name))),
        lost_temp(a, t), image(a, t, "d", 'n', true), part);
}

static char *delete_of_rows(struct arena *a, const struct lost_plan *p, const struct lost_table *t,
                            char part)
{
    struct str s = str_on(a);
    const char *row = image(a, t, "t", 't', true);
    str_printf(&s,
               "DELETE FROM ONLY %s t USING (SELECT t.ctid AS id, %s::text AS r, row_number()"
               " OVER (PARTITION BY %s::text) AS place, count(*) OVER (PARTITION BY %s::text) AS n"
               " FROM ONLY %s t WHERE %s::text IN (SELECT %s::text FROM %s d)) x,"
               " %s d WHERE t.ctid = x.id AND x.r = %s::text AND d.op = 'd' AND d.part = '%c'"
               " AND x.place <= least(d.\"then\" - d.now, x.n - d.now)",
               target(a, t), row, row, row, target(a, t), row, image(a, t, "d", 'n', true),
               lost_temp(a, t), lost_temp(a, t), image(a, t, "d", 'n', true), part);
    no_children(&s, p, t);
    return repeated(a, p, t, s.text);
}

/* --- the statements -------------------------------------------------------------------------- */

static const char part_names[] = {'o', 'm'};

char *lost_sql_state(struct arena *a, const struct lost_table *t, int part)
{
    if (t->keys == 0)
        return state_of_rows(a, t, part_names[part]);
    struct str s = str_on(a);
    const char *label =
        pg_literal(a, lost_line(a, arena_printf(a, "%s.%s", t->was->schema, t->was->name)));
    const char *same = is_same(a, image(a, t, "t", 't', true), image(a, t, "d", 'n', true));
    str_printf(&s, "SELECT %s AS \"table\"", label);
    static const struct {
        char op;
        const char *name;
    } ops[] = {{'i', "inserts"}, {'u', "updates"}, {'d', "deletes"}};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        str_printf(&s,
                   ", count(*) FILTER (WHERE d.op = '%c') AS %s, count(*) FILTER (WHERE d.op = '%c'"
                   " AND %s%s) AS %s_there",
                   ops[i].op, ops[i].name, ops[i].op,
                   ops[i].op == 'd' ? "t.ctid IS NULL" : "t.ctid IS NOT NULL AND ",
                   ops[i].op == 'd' ? "" : same, ops[i].name);
    str_printf(&s, " FROM %s d LEFT JOIN ONLY %s t ON %s WHERE d.part = '%c'", lost_temp(a, t),
               target(a, t), key_is(a, t, "COALESCE(d.n#, d.o#)"), part_names[part]);
    return s.text;
}

char *lost_sql_delete(struct arena *a, const struct lost_plan *p, const struct lost_table *t,
                      int part)
{
    struct str s = str_on(a);
    if (t->found[part][LOST_DELETE] == 0)
        return NULL;
    if (t->keys == 0)
        return delete_of_rows(a, p, t, part_names[part]);
    str_printf(&s,
               "DELETE FROM ONLY %s t USING %s d WHERE d.op = 'd' AND d.part = '%c' AND %s AND %s",
               target(a, t), lost_temp(a, t), part_names[part], key_is(a, t, "d.o#"),
               is_same(a, image(a, t, "t", 't', false), image(a, t, "d", 'o', false)));
    no_children(&s, p, t);
    return repeated(a, p, t, s.text);
}

char *lost_sql_update(struct arena *a, const struct lost_plan *p, const struct lost_table *t,
                      int part)
{
    struct str set = str_on(a), s = str_on(a);
    if (t->found[part][LOST_UPDATE] == 0)
        return NULL;
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].key == 0 && t->columns[i].kept != NULL && !t->columns[i].always)
            str_item(&set, ", ",
                     arena_printf(a, "%s = d.n%zu", lost_ident(a, t->columns[i].name), i + 1));
    if (set.length == 0)
        return NULL;
    str_printf(&s,
               "UPDATE ONLY %s t SET %s FROM %s d WHERE d.op = 'u' AND d.part = '%c' AND %s AND %s",
               target(a, t), set.text, lost_temp(a, t), part_names[part], key_is(a, t, "d.o#"),
               is_same(a, image(a, t, "t", 't', false), image(a, t, "d", 'o', false)));
    has_parents(&s, p, t);
    is_free(&s, p, t);
    return s.text;
}

char *lost_sql_insert(struct arena *a, const struct lost_plan *p, const struct lost_table *t,
                      int part)
{
    bool identity = false;
    struct str names = str_on(a), values = str_on(a), s = str_on(a);
    if (t->found[part][LOST_INSERT] == 0 || t->no_inserts)
        return NULL;
    for (size_t i = 0; i < t->count; i++) {
        if (t->columns[i].kept == NULL)
            continue;
        identity = identity || t->columns[i].identity;
        str_item(&names, ", ", lost_ident(a, t->columns[i].name));
        str_item(&values, ", ", arena_printf(a, "d.n%zu", i + 1));
    }
    str_printf(&s, "%sINSERT INTO %s (%s)%s SELECT %s FROM %s d",
               t->keys > 0 ? "" : arena_printf(a, "WITH l AS (%s) ", like(a, t)), target(a, t),
               names.text, identity ? " OVERRIDING SYSTEM VALUE" : "", values.text,
               lost_temp(a, t));
    if (t->keys == 0)
        str_printf(&s,
                   " LEFT JOIN l ON l.r = %s::text CROSS JOIN LATERAL generate_series(1,"
                   " least(d.now - d.\"then\", d.now - COALESCE(l.n, 0)))",
                   image(a, t, "d", 'n', true));
    str_printf(&s, " WHERE d.op = 'i' AND d.part = '%c'", part_names[part]);
    has_parents(&s, p, t);
    str_add(&s, " ON CONFLICT DO NOTHING");
    return repeated(a, p, t, s.text);
}
