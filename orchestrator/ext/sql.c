#include "ext/sql.h"

#include <ctype.h>
#include <pg_query.h>
#include <pthread.h>
#include <sys/mman.h>

/*
 * The library writes a tree by recursion and does not guard its stack: a chain
 * of 60,000 additions, 120 kB of text, overruns 8 MB.  It takes some 70 bytes of
 * stack for each byte of text, so the work is done on a stack of its own that is
 * large enough for the longest statement we allow; untouched pages cost nothing.
 */
enum { STACK_PER_BYTE = 256, STACK_LEAST = 1 << 20 };

struct job {
    struct arena *arena;
    const char *script;
    sql_visit_fn *visit;
    void *context;
    struct err *e;
    bool ok;
};

/* Blanks and comments; comments nest. */
static const char *skip_blank(const char *p, const char *end)
{
    int depth = 0;
    while (p < end) {
        if (p + 1 < end && p[0] == '/' && p[1] == '*') {
            depth++;
            p += 2;
        } else if (depth > 0 && p + 1 < end && p[0] == '*' && p[1] == '/') {
            depth--;
            p += 2;
        } else if (depth == 0 && p + 1 < end && p[0] == '-' && p[1] == '-') {
            while (p < end && *p != '\n')
                p++;
        } else if (depth > 0 || isspace((unsigned char)*p)) {
            p++;
        } else {
            break;
        }
    }
    return p;
}

static size_t line_of(const char *script, const char *at)
{
    size_t line = 1;
    for (const char *p = script; p < at; p++)
        line += *p == '\n';
    return line;
}

static bool refused(struct err *e, const char *script, const PgQueryError *why)
{
    /* cursorpos counts characters from 1, not bytes; 0: unknown. */
    const char *at = script;
    for (int n = why->cursorpos; n > 1 && *at != '\0'; n--) {
        at++;
        while (((unsigned char)*at & 0xc0) == 0x80)
            at++;
    }
    err_set(e, ERR_QUERY, "line %zu: %s", line_of(script, at), why->message);
    bool syntax = strstr(why->message, "syntax error") != NULL;
    snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", syntax ? "42601" : "42000");
    return false;
}

/* {"version":150001,"stmts":[{"stmt":{"InsertStmt":{...}},"stmt_len":7}]} */
static bool visit_tree(struct job *job, struct sql_statement *s, const char *tree)
{
    struct err deep = {0};
    AUTO(json) struct json *root = json_parse(tree, strlen(tree), &deep);
    struct json *item = json_at(json_find(root, "stmts"), 0);
    struct json *body = json_at(json_find(item, "stmt"), 0);
    if (root == NULL || body == NULL)
        return err_set(job->e, ERR_QUERY, "line %zu: the statement is nested too deeply", s->line);
    s->kind = json_key(body);
    s->node = body;
    return job->visit(job->context, s, job->e);
}

static bool visit_piece(struct job *job, const char *from, const char *end, size_t line)
{
    struct sql_statement s = {.line = line};
    while (end > from && isspace((unsigned char)end[-1]))
        end--;
    if (end - from > SQL_STATEMENT_MAX)
        return err_set(job->e, ERR_QUERY, "line %zu: the statement has more than %d bytes", line,
                       SQL_STATEMENT_MAX);
    s.text = arena_strndup(job->arena, from, (size_t)(end - from));
    PgQueryParseResult tree = pg_query_parse(s.text);
    bool ok = tree.error != NULL ? refused(job->e, s.text, tree.error)
                                 : visit_tree(job, &s, tree.parse_tree);
    pg_query_free_parse_result(tree);
    return ok;
}

static bool visit_all(struct job *job, const PgQuerySplitResult *split)
{
    const char *counted = job->script;
    size_t line = 1;
    for (int i = 0; i < split->n_stmts; i++) {
        const char *from = job->script + split->stmts[i]->stmt_location;
        const char *end = from + split->stmts[i]->stmt_len;
        from = skip_blank(from, end);
        line += line_of(counted, from) - 1;
        counted = from;
        if (!visit_piece(job, from, end, line))
            return false;
    }
    return true;
}

static void *work(void *context)
{
    struct job *job = context;
    PgQuerySplitResult split = pg_query_split_with_parser(job->script);
    job->ok =
        split.error != NULL ? refused(job->e, job->script, split.error) : visit_all(job, &split);
    pg_query_free_split_result(split);
    return NULL;
}

static bool run_with_stack(struct job *job, size_t size)
{
    void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return err_sys(job->e, ERR_SYSTEM, "could not get memory to parse SQL");
    pthread_attr_t attributes;
    pthread_t thread = 0;
    pthread_attr_init(&attributes);
    int error = pthread_attr_setstack(&attributes, stack, size);
    if (error == 0)
        error = pthread_create(&thread, &attributes, work, job);
    pthread_attr_destroy(&attributes);
    if (error == 0)
        error = pthread_join(thread, NULL);
    munmap(stack, size);
    return error == 0 ? job->ok : err_set(job->e, ERR_SYSTEM, "could not start a thread");
}

int sql_parser_version(void)
{
    return PG_VERSION_NUM / 10000;
}

bool sql_each(struct arena *a, const char *script, sql_visit_fn *visit, void *context,
              struct err *e)
{
    struct job job = {.arena = a, .script = script, .visit = visit, .context = context, .e = e};
    size_t length = strlen(script);
    if (length > SQL_SCRIPT_MAX)
        return err_set(e, ERR_QUERY, "the script has more than %d bytes", SQL_SCRIPT_MAX);
    size_t longest = length < SQL_STATEMENT_MAX ? length : SQL_STATEMENT_MAX;
    return run_with_stack(&job, STACK_LEAST + longest / 4096 * 4096 * STACK_PER_BYTE +
                                    (size_t)4096 * STACK_PER_BYTE);
}
