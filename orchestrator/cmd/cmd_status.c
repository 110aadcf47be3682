#include "cmd/cmd.h"
#include "cmd/status_past.h"
#include "core/prisma/state.h"
#include "core/site.h"

enum { LOCK_WAIT_MS = 5000, QUERY_LIMIT_MS = 30000 };

struct status {
    struct site site;
    struct prisma_project project;
    struct prisma_state prisma;
    const char *server_version; /* "15.18" */
    struct past past;
};

static bool read_status(struct cmd_context *ctx, struct status *s, struct err *e)
{
    const struct settings *settings = ctx->settings;
    const struct session_use use = {.application_name = "migsafe status",
                                    .lock_timeout_ms = LOCK_WAIT_MS,
                                    .statement_timeout_ms = QUERY_LIMIT_MS,
                                    .query_deadline_ms = QUERY_LIMIT_MS};
    if (!site_read(ctx->arena, settings, &s->site, e) ||
        !prisma_project_find(ctx->arena, settings->project, settings->schema, &s->project, e))
        return false;
    AUTO(pg) struct pg *db = connection_open(&s->site.live, &use, e);
    if (db == NULL || !prisma_state_read(ctx->arena, &s->project, &s->site.live, db, &s->prisma, e))
        return false;
    int version = pg_server_version(db);
    s->server_version = arena_printf(ctx->arena, "%d.%d", version / 10000, version % 10000);
    past_read(ctx->arena, settings, &s->site, &s->past);
    return true;
}

/* What Prisma wrote into the failed rows of one name: its first line. */
static const char *first_line(struct arena *a, const char *logs)
{
    const char *text = logs == NULL ? "" : logs + strspn(logs, " \r\n");
    return arena_strndup(a, text, strcspn(text, "\r\n"));
}

static bool is_failed(const struct ledger_row *row)
{
    return ledger_row_state(row) == LEDGER_FAILED;
}

static void put_failures(struct cmd_context *ctx, const struct ledger *ledger, struct json *to)
{
    struct json *list = json_put_array(to, "failures");
    for (size_t i = 0; ledger != NULL && i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        if (!is_failed(row))
            continue;
        struct json *item = json_push_object(list);
        json_put(item, "name", row->name);
        json_put(item, "started_at", row->started_at);
        json_put(item, "logs", row->logs);
        json_put(item, "message", first_line(ctx->arena, row->logs));
    }
}

static void put_ledgers(const struct prisma_state *p, struct json *to)
{
    struct json *list = json_put_array(to, "ledgers");
    for (size_t i = 0; i < p->ledgers.count; i++) {
        struct json *item = json_push_object(list);
        json_put(item, "schema", p->ledgers.items[i].schema);
        json_put_int(item, "rows", (int64_t)p->ledgers.items[i].count);
        json_put_bool(item, "used", &p->ledgers.items[i] == p->ledger);
    }
}

static const char wait_for_it[] =
    "a deploy would wait for the one that is at work; once that has ended, ask again";

/* Beside a migration at work the ledger says what a failed one says: then it foretells nothing. */
static void put_outlook(const struct status *s, struct json *to)
{
    bool applying = s->past.applying != NULL;
    json_put(to, "outlook", applying ? "applying" : prisma_outlook_name(s->prisma.outlook));
    json_put(to, "code", applying ? NULL : s->prisma.code);
    json_put(to, "summary", applying ? wait_for_it : s->prisma.summary);
}

static void print_json(struct cmd_context *ctx, const struct status *s)
{
    const struct connection *live = &s->site.live;
    struct json *j = json_object();
    struct json *database = json_put_object(j, "database");
    json_put(database, "name", live->dbname);
    json_put(database, "host", live->host);
    json_put(database, "port", live->port);
    json_put(database, "schema", live->schema);
    json_put(database, "server_version", s->server_version);
    struct json *project = json_put_object(j, "project");
    json_put(project, "root", s->project.root);
    json_put(project, "schema", s->project.schema);
    json_put(project, "migrations", s->project.migrations);
    json_put(project, "config", s->project.config);
    put_ledgers(&s->prisma, j);
    put_outlook(s, j);
    history_json(&s->prisma.history, j);
    put_failures(ctx, s->prisma.ledger, j);
    past_json(&s->past, j);
    cmd_print(ctx, j);
}

static void print_ledgers(const struct cmd_context *ctx, const struct prisma_state *p)
{
    if (p->ledgers.count == 0)
        fputs("ledger:     none\n", ctx->out);
    for (size_t i = 0; i < p->ledgers.count; i++) {
        const struct ledger *l = &p->ledgers.items[i];
        const char *use = l == p->ledger ? ", the one that counts" : ", not used";
        fprintf(ctx->out, "ledger:     %s._prisma_migrations, %s%s\n", l->schema,
                str_plural(ctx->arena, (int64_t)l->count, "row", "rows"),
                p->ledgers.count == 1 || p->ledger == NULL ? "" : use);
    }
}

static void print_counts(const struct cmd_context *ctx, const struct history *h)
{
    const struct {
        const char *word;
        size_t count;
    } counts[] = {{"applied", h->applied.count},
                  {"pending", h->pending.count},
                  {"failed", h->failed.count},
                  {"rolled back", h->rolled_back.count},
                  {"edited", h->edited.count},
                  {"missing", h->missing.count},
                  {"out of order", h->out_of_order.count},
                  {"without a script", h->scriptless.count}};
    struct str line = str_on(ctx->arena);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (counts[i].count > 0 || i < 2)
            str_item(&line, ", ",
                     arena_printf(ctx->arena, "%zu %s", counts[i].count, counts[i].word));
    fprintf(ctx->out, "migrations: %s\n", line.text);
}

static void print_names(const struct cmd_context *ctx, const char *title,
                        const struct strlist *names)
{
    if (names->count == 0)
        return;
    fprintf(ctx->out, "\n%s:\n", title);
    for (size_t i = 0; i < names->count; i++)
        fprintf(ctx->out, "  %s\n", names->items[i]);
}

/* One that runs and one whose Prisma died look the same in the ledger: the lock tells them apart.
 */
static void print_failures(const struct cmd_context *ctx, const struct ledger *ledger,
                           bool applying)
{
    const char *title =
        applying ? "\nbegun, perhaps running:\n" : "\nfailed (a deploy stops with P3009):\n";
    for (size_t i = 0; ledger != NULL && i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        if (!is_failed(row))
            continue;
        const char *message = first_line(ctx->arena, row->logs);
        fprintf(ctx->out, "%s  %s, started %s%s%s\n", title, row->name, row->started_at,
                message[0] ? ": " : "", message);
        title = "";
    }
}

static void print_text(struct cmd_context *ctx, const struct status *s)
{
    const struct history *h = &s->prisma.history;
    fprintf(ctx->out, "database:   %s, PostgreSQL %s, schema %s\n",
            connection_label(ctx->arena, &s->site.live), s->server_version, s->site.live.schema);
    fprintf(ctx->out, "project:    %s\n", s->project.migrations);
    print_ledgers(ctx, &s->prisma);
    print_counts(ctx, h);
    past_print(ctx->arena, &s->past, ctx->out);
    print_names(ctx, "pending", &h->pending);
    print_failures(ctx, s->prisma.ledger, s->past.applying != NULL);
    print_names(ctx, "rolled back, not applied since", &h->rolled_back);
    print_names(ctx, "edited after they were applied", &h->edited);
    print_names(ctx, "applied, but missing in the folder", &h->missing);
    print_names(ctx, "out of order: pending, but before the last applied", &h->out_of_order);
    print_names(ctx, "pending without a migration.sql", &h->scriptless);
    if (s->past.applying != NULL)
        fprintf(ctx->out, "\n%s\n", wait_for_it);
    else
        fprintf(ctx->out, "\n%s%s%s%s\n", s->prisma.summary, s->prisma.code ? " (" : "",
                s->prisma.code ? s->prisma.code : "", s->prisma.code ? ")" : "");
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct status s = {0};
    if (!cmd_parse(ctx, NULL, 0, &args, e) || !read_status(ctx, &s, e))
        return false;
    if (ctx->json)
        print_json(ctx, &s);
    else
        print_text(ctx, &s);
    return true;
}

const struct command cmd_status = {
    .name = "status",
    .args = "",
    .summary = "what is applied, pending, failed, edited, missing",
    .details = "Compares the migrations folder with the ledger in the database, by migsafe's own\n"
               "reading of both: Prisma is not started.  It is a report, so the exit status is 0\n"
               "whenever it could be made; migsafe health judges.",
    .run = run,
};
