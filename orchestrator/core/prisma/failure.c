#include "core/prisma/failure.h"

#include "core/prisma/printed.h"

struct code_row {
    const char *code;
    enum failure_class class;
};

/* What is not in this table is unknown.  P3018 is judged by its SQLSTATE first. */
static const struct code_row prisma_codes[] = {
    {"P1001", FAILURE_BEFORE},    /* no answer from the server */
    {"P1002", FAILURE_BEFORE},    /* it answered too late; or another deploy has Prisma's lock */
    {"P1009", FAILURE_BEFORE},    /* database exists: two created it at once */
    {"P2037", FAILURE_BEFORE},    /* too many connections */
    {"P6004", FAILURE_BEFORE},    /* a hosted proxy took too long */
    {"P6008", FAILURE_BEFORE},    /* a hosted proxy could not connect */
    {"P1008", FAILURE_TRANSIENT}, /* an operation took longer than socket_timeout */
    {"P1017", FAILURE_TRANSIENT}, /* the server closed the connection */
    {"P2024", FAILURE_TRANSIENT}, /* no connection from the pool in time */
    {"P2034", FAILURE_TRANSIENT}, /* write conflict or deadlock */
    {"P1000", FAILURE_PERMANENT}, {"P1003", FAILURE_PERMANENT}, {"P1010", FAILURE_PERMANENT},
    {"P1011", FAILURE_PERMANENT}, {"P1012", FAILURE_PERMANENT}, {"P1013", FAILURE_PERMANENT},
    {"P1014", FAILURE_PERMANENT}, {"P1015", FAILURE_PERMANENT}, {"P1016", FAILURE_PERMANENT},
    {"P1018", FAILURE_PERMANENT}, {"P1019", FAILURE_PERMANENT}, {"P3000", FAILURE_PERMANENT},
    {"P3004", FAILURE_PERMANENT}, {"P3005", FAILURE_PERMANENT}, {"P3006", FAILURE_PERMANENT},
    {"P3007", FAILURE_PERMANENT}, {"P3008", FAILURE_PERMANENT}, {"P3009", FAILURE_PERMANENT},
    {"P3010", FAILURE_PERMANENT}, {"P3011", FAILURE_PERMANENT}, {"P3012", FAILURE_PERMANENT},
    {"P3013", FAILURE_PERMANENT}, {"P3014", FAILURE_PERMANENT}, {"P3015", FAILURE_PERMANENT},
    {"P3016", FAILURE_PERMANENT}, {"P3017", FAILURE_PERMANENT}, {"P3018", FAILURE_PERMANENT},
    {"P3019", FAILURE_PERMANENT}, {"P3020", FAILURE_PERMANENT}, {"P3021", FAILURE_PERMANENT},
    {"P3022", FAILURE_PERMANENT}, {"P3023", FAILURE_PERMANENT}, {"P3024", FAILURE_PERMANENT},
    {"P4001", FAILURE_PERMANENT}, {"P4002", FAILURE_PERMANENT},
};

/* Prefixes, the first that fits counts.  Everything else that a server says is permanent: it would
 * say it again.  25006 too: here it means our own fence, or a standby that stays one. */
static const struct code_row sqlstates[] = {
    {"40001", FAILURE_TRANSIENT}, /* serialization failure */
    {"40003", FAILURE_TRANSIENT}, /* statement completion unknown */
    {"40P01", FAILURE_TRANSIENT}, /* deadlock */
    {"55P03", FAILURE_TRANSIENT}, /* lock timeout */
    {"55006", FAILURE_TRANSIENT}, /* object in use */
    {"57014", FAILURE_TRANSIENT}, /* cancelled, or statement_timeout */
    {"57P01", FAILURE_TRANSIENT}, /* ended by an administrator, or a shutdown */
    {"57P02", FAILURE_TRANSIENT}, /* crash of another server process */
    {"57P03", FAILURE_BEFORE},    /* the server does not take connections yet, or any more */
    {"57P05", FAILURE_TRANSIENT}, /* idle session timeout */
    {"25P03", FAILURE_TRANSIENT}, /* idle in transaction timeout */
    {"25P04", FAILURE_TRANSIENT}, /* transaction timeout */
    {"53200", FAILURE_TRANSIENT}, /* out of memory */
    {"53300", FAILURE_TRANSIENT}, /* too many connections */
    {"08", FAILURE_TRANSIENT},    /* connection lost */
};

/* Where no code is printed.  In order: the first text that the message contains counts. */
static const struct {
    const char *words;
    const char *sqlstate; /* where the text leaves no doubt, else "" */
    enum failure_class class;
} texts[] = {
    {"acquire a postgres advisory lock", "", FAILURE_BEFORE},
    {"Can't reach database server", "", FAILURE_BEFORE},
    {"the database system is", "57P03", FAILURE_BEFORE},
    {"ECONNREFUSED", "", FAILURE_BEFORE},
    {"binaries.prisma.sh", "", FAILURE_BEFORE},
    {"canceling statement due to lock timeout", "55P03", FAILURE_TRANSIENT},
    {"could not obtain lock on", "55P03", FAILURE_TRANSIENT},
    {"Transaction write conflict", "", FAILURE_TRANSIENT}, /* 40001 or 40P01 */
    {"deadlock detected", "40P01", FAILURE_TRANSIENT},
    {"could not serialize access", "40001", FAILURE_TRANSIENT},
    {"canceling statement due to", "57014", FAILURE_TRANSIENT},
    {"terminating connection due to administrator command", "57P01", FAILURE_TRANSIENT},
    {"terminating connection because of crash", "57P02", FAILURE_TRANSIENT},
    {"terminating connection due to idle", "", FAILURE_TRANSIENT},
    {"Too many DB connections opened", "53300", FAILURE_TRANSIENT},
    {"Too many database connections opened", "53300", FAILURE_TRANSIENT},
    {"too many clients already", "53300", FAILURE_TRANSIENT},
    {"too many connections for ", "53300", FAILURE_TRANSIENT}, /* of a role, or a database */
    {"remaining connection slots are reserved", "53300", FAILURE_TRANSIENT},
    {"erver has closed the connection", "", FAILURE_TRANSIENT},
    {"erver closed the connection", "", FAILURE_TRANSIENT},
    {"onnection terminated", "", FAILURE_TRANSIENT},
    {"onnection reset by peer", "", FAILURE_TRANSIENT},
    {"ECONNRESET", "", FAILURE_TRANSIENT},
    {"in a read-only transaction", "25006", FAILURE_PERMANENT},
    {"current transaction is aborted", "25P02", FAILURE_PERMANENT},
    {"No such table:", "42P01", FAILURE_PERMANENT},
    {"column not found:", "42703", FAILURE_PERMANENT},
    {"Unique constraint failed", "23505", FAILURE_PERMANENT},
    {"Null constraint failed", "23502", FAILURE_PERMANENT},
    {"Foreign key constraint failed", "23503", FAILURE_PERMANENT},
    {"permission denied", "42501", FAILURE_PERMANENT},
    {"uthentication failed", "28P01", FAILURE_PERMANENT},
    {"was denied access on the database", "", FAILURE_PERMANENT},
    {"does not exist", "", FAILURE_PERMANENT},
    {"Error in the underlying connector", "", FAILURE_PERMANENT},
    {"The datasource.url property is required", "", FAILURE_PERMANENT},
    {"Cannot resolve environment variable", "", FAILURE_PERMANENT},
    {"Environment variable not found", "", FAILURE_PERMANENT},
    {"Cannot find module", "", FAILURE_PERMANENT},
    {"Could not find schema-engine binary", "", FAILURE_PERMANENT},
    {"Could not find Prisma Schema", "", FAILURE_PERMANENT},
    {"ERROR: ", "", FAILURE_PERMANENT}, /* any other that the server reports */
};

static const char *const class_names[] = {
    [FAILURE_NONE] = "none",           [FAILURE_BEFORE] = "before",
    [FAILURE_TRANSIENT] = "transient", [FAILURE_PERMANENT] = "permanent",
    [FAILURE_UNKNOWN] = "unknown",
};

const char *failure_class_name(enum failure_class class)
{
    return class_names[class];
}

bool failure_success_line(const char *out)
{
    AUTO(arena) struct arena *a = arena_new();
    return printed_read(a, out, NULL).success;
}

static enum failure_class by_prisma_code(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(prisma_codes); i++)
        if (strcmp(prisma_codes[i].code, code) == 0)
            return prisma_codes[i].class;
    return FAILURE_UNKNOWN;
}

static enum failure_class by_sqlstate(const char *state)
{
    for (size_t i = 0; i < ARRAY_LEN(sqlstates); i++)
        if (str_starts(state, sqlstates[i].code))
            return sqlstates[i].class;
    return FAILURE_PERMANENT;
}

static void by_text(struct failure *f)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strstr(f->message, texts[i].words) == NULL)
            continue;
        f->class = texts[i].class;
        f->sqlstate = texts[i].sqlstate;
        return;
    }
    f->class = FAILURE_UNKNOWN;
}

/* P3018 only says that a migration failed: why is in its SQLSTATE, or in the text. */
static void judge(struct failure *f)
{
    bool coded = f->code[0] != '\0' && strcmp(f->code, "P3018") != 0;
    if (coded) {
        f->class = by_prisma_code(f->code);
    } else if (f->sqlstate[0] != '\0') {
        f->class = by_sqlstate(f->sqlstate);
    } else {
        by_text(f);
        if (f->class == FAILURE_UNKNOWN && f->code[0] != '\0')
            f->class = by_prisma_code(f->code);
    }
}

/* How it ended, when it printed no error. */
static const char *end_in_words(struct arena *a, const struct prisma_end *end, bool success)
{
    if (end->timed_out)
        return "Prisma was stopped at the time limit";
    if (end->signal != 0)
        return arena_printf(a, "Prisma was ended by signal %d", end->signal);
    if (success)
        return arena_printf(a, "Prisma said that it had finished, but ended with status %d",
                            end->exit_status);
    if (end->exit_status == 0)
        return "Prisma ended with status 0 but did not say that it had finished";
    return arena_printf(a, "Prisma ended with status %d and printed no error", end->exit_status);
}

struct failure failure_classify(struct arena *a, const struct prisma_end *end)
{
    struct printed p = printed_read(a, end->out, end->err);
    struct failure f = {
        .class = FAILURE_UNKNOWN,
        .code = p.code,
        .sqlstate = p.sqlstate,
        .migration = p.migration,
        .message = "",
    };
    bool stopped = end->timed_out || end->signal != 0;
    bool clean = end->exit_status == 0 && !stopped;
    if (clean && p.success) {
        f.class = FAILURE_NONE;
        return f;
    }
    if (f.migration[0] == '\0')
        f.migration = p.applying;
    f.message = p.message;
    if (!clean && !p.success && f.message[0] != '\0')
        judge(&f);
    if (clean || p.success || f.message[0] == '\0' || (stopped && f.class == FAILURE_UNKNOWN)) {
        f.message = end_in_words(a, end, p.success);
        return f;
    }
    /* It had begun: that it could not connect then does not mean that it changed nothing. */
    if (f.class == FAILURE_BEFORE && f.migration[0] != '\0')
        f.class = FAILURE_TRANSIENT;
    f.lock_timeout =
        strcmp(f.sqlstate, "55P03") == 0 || strstr(f.message, "postgres advisory lock") != NULL;
    return f;
}
