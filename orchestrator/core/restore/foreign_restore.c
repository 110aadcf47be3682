/*
 * psql and pg_restore fill the side database with a dump made by others.
 */
#include "base/log.h"
#include "base/proc.h"
#include "base/random.h"
#include "core/restore/analyze.h"
#include "core/restore/foreign.h"
#include "core/restore/foreign_scan.h"
#include "core/restore/preview.h"
#include "ext/pack.h"

enum {
    TIMEOUT_MS = 24 * 60 * 60 * 1000,
    VERSION_TIMEOUT_MS = 10000,
    KEPT_BYTES = 1024 * 1024,
    KEY_BYTES = 16,
    NO_CONNECTION = 2, /* psql's exit status */
};

struct filling {
    struct arena *arena;
    const struct foreign_restore *spec;
    struct connection to;
    int server_version;
    bool as_owner; /* not as the connecting role */
};

/* --- the words of psql --------------------------------------------------------------------------
 */

struct said {
    const char *message, *detail;
    int64_t line;
    bool by_server;
};

static const char *behind(const char *line, const char *sign)
{
    const char *found = strstr(line, sign);
    return found == NULL ? NULL : found + strlen(sign);
}

/* The error that a line tells, or NULL. */
static const char *error_in(const char *line, bool *by_server)
{
    const char *found = behind(line, "ERROR:  ");
    if (found == NULL)
        found = behind(line, "FATAL:  ");
    *by_server = found != NULL;
    return found != NULL ? found : behind(line, "error: ");
}

static const char *more_in(const char *line)
{
    static const char *const signs[] = {"DETAIL:  ", "HINT:  ", "CONTEXT:  "};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (str_starts(line, signs[i]))
            return line + strlen(signs[i]);
    return NULL;
}

/* The first error: "psql:<stdin>:12: ERROR:  relation ...", and the DETAIL, HINT, CONTEXT that
 * follow. */
static struct said read_psql(struct arena *a, const char *printed)
{
    struct said said = {.message = NULL};
    struct str detail = str_on(a);
    for (const char *at = printed; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
        bool by_server;
        const char *line = arena_strndup(a, at, strcspn(at, "\n"));
        const char *error = error_in(line, &by_server), *more = more_in(line);
        if (error != NULL && said.message != NULL)
            break;
        if (error != NULL) {
            const char *number = behind(line, "<stdin>:");
            said.message = error;
            said.by_server = by_server;
            said.line = number == NULL ? 0 : strtoll(number, NULL, 10);
        } else if (more != NULL && said.message != NULL) {
            str_item(&detail, " ", more);
        }
    }
    said.detail = detail.text;
    if (said.message == NULL)
        said.message = str_trim(a, arena_strndup(a, printed, strcspn(printed, "\n")));
    return said;
}

/* What helps, by what the server says. */
static void advise(const struct filling *f, const char *message, struct err *e)
{
    const struct foreign *file = f->spec->file;
    if (e->hint[0] != '\0')
        return;
    if (str_starts(message, "role \"") && strstr(message, "does not exist") != NULL)
        err_hint(e, "%s",
                 file->kind == FOREIGN_SQL
                     ? "Create the role, or make the dump with --no-owner --no-acl."
                     : "Create the role, or take the owners out: pg_restore --no-owner --no-acl"
                       " -f - FILE | migsafe restore -");
    else if (strstr(message, "unrecognized configuration parameter") != NULL ||
             strstr(message, "unsupported version") != NULL)
        err_hint(e, "It was made by a newer pg_dump%s%s: use the one of this server's version.",
                 file->made_by == NULL ? "" : " than this server: ",
                 file->made_by == NULL ? "" : file->made_by);
    else if (strstr(message, "ermission denied") != NULL || strstr(message, "must be ") == message)
        err_hint(e, "%s",
                 f->as_owner ? "It names no owners, so it is restored as the owner of the live"
                               " database: that role may not do this. A dump without --no-owner"
                               " is restored as the connecting role."
                             : "Set admin-url to a role that may.");
    else if (strstr(message, "does not exist") != NULL)
        err_hint(e, "A dump with --clean needs --if-exists too; one with --data-only, or of some"
                    " tables only, lacks what it refers to. The database it is restored into is"
                    " empty.");
}

static bool psql_failed(const struct filling *f, const struct proc_result *r, struct err *e)
{
    struct said said = read_psql(f->arena, r->err);
    if (r->exit_status == NO_CONNECTION || said.message[0] == '\0')
        return err_set(e, ERR_CHILD, "psql failed: %s",
                       said.message[0] == '\0' ? "it says nothing" : said.message);
    if (said.line > 0)
        err_set(e, ERR_DAMAGED, "%s, line %lld: %s", f->spec->file->given, (long long)said.line,
                said.message);
    else
        err_set(e, said.by_server ? ERR_DAMAGED : ERR_CHILD, "%s: %s", f->spec->file->given,
                said.message);
    if (said.detail[0] != '\0')
        err_detail(e, "%s", said.detail);
    advise(f, said.message, e);
    return false;
}

/* --- SQL ----------------------------------------------------------------------------------------
 */

/* Does this psql know \restrict?  It came with minor versions. */
static bool knows_restrict(struct arena *a, const char *psql)
{
    static const struct {
        long major, minor;
    } since[] = {{13, 22}, {14, 19}, {15, 14}, {16, 10}, {17, 6}};
    struct proc_result r;
    struct err ignored = {0};
    const struct proc_spec spec = {.argv = (const char *const[]){psql, "--version", NULL},
                                   .timeout_ms = VERSION_TIMEOUT_MS,
                                   .out_max = 256};
    const char *at;
    if (!proc_run(a, &spec, &r, &ignored) || (at = strstr(r.out, "(PostgreSQL) ")) == NULL)
        return false;
    char *end;
    long major = strtol(at + strlen("(PostgreSQL) "), &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    for (size_t i = 0; i < ARRAY_LEN(since); i++)
        if (major == since[i].major)
            return minor >= since[i].minor;
    return major > since[ARRAY_LEN(since) - 1].major;
}

struct feeding {
    struct unpack *from;
    struct foreign_scan scan;
};

/* Read again as psql will read it: the file may be another by now. */
static bool feed(void *context, char *buffer, size_t max, size_t *n, struct err *e)
{
    struct feeding *f = context;
    if (!unpack_read(f->from, buffer, max, n, e))
        return false;
    return *n > 0 ? foreign_scan(&f->scan, buffer, *n, e) : foreign_scan_end(&f->scan, e);
}

/* A value in PGOPTIONS. */
static const char *escaped(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    for (; *text != '\0'; text++) {
        if (*text == ' ' || *text == '\\')
            str_add(&s, "\\");
        str_add_n(&s, text, 1);
    }
    return s.text;
}

static const char *session_options(const struct filling *f)
{
    struct str s = str_on(f->arena);
    /* Nobody sees the side database before the swap, whose commit flushes all of it. Notices
     * would crowd out the error. */
    str_add(&s, "-c synchronous_commit=off -c default_transaction_read_only=off"
                " -c statement_timeout=0 -c lock_timeout=0 -c client_min_messages=warning"
                " -c idle_in_transaction_session_timeout=0");
    if (f->as_owner)
        str_printf(&s, " -c role=%s", escaped(f->arena, f->spec->owner));
    return s.text;
}

static bool run_psql(const struct filling *f, struct feeding *from, struct err *e)
{
    struct arena *a = f->arena;
    struct child_env env;
    struct proc_result result;
    struct strlist argv = strlist_on(a);
    const char *path;
    if (!connection_tool(a, f->spec->pg_bin, "psql", f->server_version, &path, e) ||
        !child_env_open(a, &f->to, "migsafe", &env, e))
        return false;
    child_env_options(&env, session_options(f));
    child_env_may_idle(&env, f->server_version);
    strlist_add(&argv, path);
    static const char *const fixed[] = {"-X",
                                        "-q",
                                        "--no-password",
                                        "--output=/dev/null",
                                        "-v",
                                        "ON_ERROR_STOP=1",
                                        "--single-transaction"};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        strlist_add(&argv, fixed[i]);
    /* From then on it takes no command but the one with this key. */
    if (knows_restrict(a, path))
        strlist_printf(&argv, "--command=\\restrict %s", random_hex(a, KEY_BYTES));
    strlist_add(&argv, "--file=-");
    log_debug("running %s", proc_line(a, argv.items));
    const struct proc_spec proc = {.argv = argv.items,
                                   .env = env.env.items,
                                   .timeout_ms = TIMEOUT_MS,
                                   .out_max = KEPT_BYTES,
                                   .feed = feed,
                                   .context = from};
    bool ok = proc_run(a, &proc, &result, e);
    child_env_close(&env);
    return ok && (result.exit_status == 0 || psql_failed(f, &result, e));
}

static bool fill_by_psql(const struct filling *f, struct err *e)
{
    const struct foreign *file = f->spec->file;
    AUTO(unpack) struct unpack *from = unpack_open(f->arena, file->path, file->given, e);
    if (from == NULL)
        return false;
    struct feeding *feeding = ARENA_NEW(f->arena, struct feeding);
    feeding->from = from;
    foreign_scan_begin(&feeding->scan);
    return run_psql(f, feeding, e);
}

/* --- archives -----------------------------------------------------------------------------------
 */

static bool fill_by_pg_restore(const struct filling *f, struct err *e)
{
    static const char *const formats[] = {
        [FOREIGN_CUSTOM] = "custom", [FOREIGN_TAR] = "tar", [FOREIGN_DIRECTORY] = "directory"};
    const struct foreign *file = f->spec->file;
    const struct archive_spec archive = {
        .server = f->spec->server,
        .target = f->to.dbname,
        .folder = file->path,
        .pg_bin = f->spec->pg_bin,
        .format = formats[file->kind],
        .jobs = file->kind == FOREIGN_TAR ? 1 : f->spec->jobs,
        .data_only = f->spec->schema != NULL,
    };
    if (restore_archive(f->arena, &archive, e))
        return true;
    bool no_tool = e->kind == ERR_CHILD && e->hint[0] != '\0'; /* it says what to install */
    if (e->kind != ERR_CHILD || no_tool || strstr(e->message, "connection to server") != NULL)
        return false;
    e->kind = ERR_DAMAGED;
    const char *message = strchr(e->message, ':');
    advise(f, message == NULL ? e->message : message + 2, e);
    return err_wrap(e, "%s", file->given);
}

/* --- before and after ---------------------------------------------------------------------------
 */

/* A dump that names no owners makes everything as the owner of live would: as that role, in a
 * database of that role. */
static bool prepare(struct filling *f, struct err *e)
{
    const struct session_use use = {.query_deadline_ms = 10000};
    AUTO(pg) struct pg *db = connection_open(&f->to, &use, e);
    if (db == NULL)
        return false;
    f->server_version = pg_server_version(db);
    const char *role = pg_value(f->arena, db, "SELECT current_user", PG_NONE, e);
    if (role == NULL)
        return false;
    f->as_owner =
        f->spec->schema == NULL && !f->spec->file->names_owner && !str_same(role, f->spec->owner);
    return !f->as_owner ||
           pg_execf(db, e, "ALTER DATABASE %s OWNER TO %s", pg_ident(f->arena, f->to.dbname),
                    pg_ident(f->arena, f->spec->owner)) ||
           err_wrap(e, "could not give the side database to \"%s\"", f->spec->owner);
}

static bool count(const struct filling *f, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    const struct manifest nothing = {0};
    struct preview_table *tables;
    size_t n;
    AUTO(pg) struct pg *db = connection_open(&f->to, &use, e);
    if (db == NULL || !restore_preview(f->arena, db, &nothing, &tables, &n, e))
        return false;
    if (n == 0)
        return err_set(e, ERR_DAMAGED, "%s makes no table", f->spec->file->given);
    *f->spec->counts = (struct foreign_counts){.tables = (int64_t)n};
    for (size_t i = 0; i < n; i++)
        f->spec->counts->rows += tables[i].rows_now;
    return analyze_parallel(f->arena, &f->to, &nothing, NULL, f->spec->jobs, e) ||
           err_wrap(e, "could not analyze \"%s\"", f->to.dbname);
}

static bool fill_rows(const struct filling *f, struct err *e)
{
    return f->spec->file->kind == FOREIGN_SQL ? fill_by_psql(f, e) : fill_by_pg_restore(f, e);
}

/* Large objects are no rows of a table: those that the dump has come with it. */
static const bool *large_objects(const struct filling *f, const struct toc *toc)
{
    bool *found = arena_array(f->arena, toc->count + 1, sizeof(*found));
    for (size_t i = 0; i < toc->count; i++)
        found[i] = str_starts(toc->entries[i].type, "BLOB") ||
                   (toc->entries[i].tag != NULL && str_starts(toc->entries[i].tag, "LARGE OBJECT"));
    return found;
}

static bool make(const struct filling *f, const struct toc *toc, enum archive_part part,
                 struct err *e)
{
    const struct archive_spec archive = {
        .server = f->spec->server,
        .target = f->to.dbname,
        .folder = f->spec->schema,
        .pg_bin = f->spec->pg_bin,
        .jobs = f->spec->jobs,
        .part = part,
        .toc = toc,
        .left_out = large_objects(f, toc),
    };
    return restore_archive(f->arena, &archive, e);
}

/* The tables of another, then the rows, then what they must fit. */
static bool fill_between(const struct filling *f, struct err *e)
{
    struct toc toc;
    if (!toc_read(f->arena, f->spec->schema, &toc, e))
        return err_wrap(e, "could not read the schema for %s", f->spec->file->given);
    if (!make(f, &toc, ARCHIVE_BEFORE_ROWS, e))
        return err_wrap(e, "could not make the tables for %s", f->spec->file->given);
    if (!fill_rows(f, e))
        return false;
    if (make(f, &toc, ARCHIVE_AFTER_ROWS, e))
        return true;
    if (e->kind == ERR_CHILD && e->hint[0] == '\0')
        e->kind = ERR_DAMAGED;
    return err_wrap(e, "the rows of %s do not fit the schema", f->spec->file->given);
}

bool foreign_restore(struct arena *a, const struct foreign_restore *spec, const char *target,
                     struct err *e)
{
    struct filling f = {.arena = a, .spec = spec, .to = connection_to(spec->server, target)};
    return prepare(&f, e) && (spec->schema != NULL ? fill_between(&f, e) : fill_rows(&f, e)) &&
           count(&f, e);
}

static bool fill(struct arena *a, const void *context, const char *target, struct err *e)
{
    return foreign_restore(a, context, target, e);
}

struct source foreign_source(const struct foreign_restore *spec, const struct database_facts *like)
{
    return (struct source){.like = like, .context = spec, .fill = fill};
}
