/*
 * What a foreign dump may not say.
 */
#include "base/str.h"
#include "core/restore/foreign_scan.h"

static const char hint_create[] =
    "It was made with pg_dump --create (-C) or pg_dumpall: make it of one database, without -C.";
static const char hint_cluster[] =
    "It was made with pg_dumpall or names what all databases share: make it with pg_dump.";
static const char hint_remove[] =
    "It would change a database by its name, also the live one: take the statement out.";
static const char hint_copy[] =
    "pg_dump writes COPY ... FROM stdin: put the rows into the dump, or take the statement out.";

static bool refuse(int64_t line, const char *hint, struct err *e, const char *what)
{
    err_set(e, ERR_DAMAGED, "line %lld: %s is not for a restored database", (long long)line, what);
    err_hint(e, "%s", hint);
    return false;
}

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

/* Without what only a person would begin a text with. */
bool foreign_rule_first(const struct foreign_scan *s, struct err *e)
{
    static const char *const commands[] = {
        "ABORT",   "ALTER",   "ANALYZE", "BEGIN",    "CALL",      "CHECKPOINT", "CLOSE",
        "CLUSTER", "COMMENT", "COMMIT",  "COPY",     "CREATE",    "DEALLOCATE", "DECLARE",
        "DELETE",  "DISCARD", "DO",      "DROP",     "END",       "EXECUTE",    "EXPLAIN",
        "FETCH",   "GRANT",   "IMPORT",  "INSERT",   "LISTEN",    "LOAD",       "LOCK",
        "MERGE",   "MOVE",    "NOTIFY",  "PREPARE",  "REASSIGN",  "REFRESH",    "REINDEX",
        "RELEASE", "RESET",   "REVOKE",  "ROLLBACK", "SAVEPOINT", "SECURITY",   "SELECT",
        "SET",     "SHOW",    "START",   "TABLE",    "TRUNCATE",  "UNLISTEN",   "UPDATE",
        "VACUUM",  "VALUES",  "WITH",
    };
    const char *word = s->lead[0];
    if (is_one_of(word, commands, ARRAY_LEN(commands)))
        return true;
    err_set(e, ERR_DAMAGED, "line %lld: this is not SQL%s%s%s", (long long)s->statement_line,
            word[0] == '\0' ? "" : ": it begins with \"", word, word[0] == '\0' ? "" : "\"");
    err_hint(e, "Give a dump of pg_dump: plain SQL, also gzipped, or an archive.");
    return false;
}

/* CREATE, ALTER and DROP of what is no part of a database. */
static bool shared_object(const struct foreign_scan *s, struct err *e)
{
    static const char *const verbs[] = {"CREATE", "ALTER", "DROP"};
    static const char *const shared[] = {"ROLE", "GROUP", "TABLESPACE"};
    const char *verb = s->lead[0], *what = s->lead[1];
    char said[2 * SCAN_WORD + 1];
    snprintf(said, sizeof(said), "%s %s", verb, what);
    if (strcmp(verb, "REASSIGN") == 0 || (strcmp(verb, "DROP") == 0 && strcmp(what, "OWNED") == 0))
        return refuse(s->statement_line, hint_cluster, e, said);
    if (!is_one_of(verb, verbs, ARRAY_LEN(verbs)))
        return true;
    if (strcmp(what, "DATABASE") == 0)
        return refuse(s->statement_line, hint_create, e, said);
    bool user = strcmp(what, "USER") == 0 && strcmp(s->lead[2], "MAPPING") != 0;
    if (user || is_one_of(what, shared, ARRAY_LEN(shared)))
        return refuse(s->statement_line, hint_cluster, e, said);
    return strcmp(verb, "ALTER") != 0 || strcmp(what, "SYSTEM") != 0 ||
           refuse(s->statement_line, hint_cluster, e, said);
}

/* In these a byte of a character may be a backslash or a quote.  The server minds neither case nor
 * punctuation. */
static bool unsafe_encoding(const struct foreign_scan *s, struct err *e)
{
    static const char *const unsafe[] = {
        "SJIS", "SHIFTJIS", "SHIFTJIS2004", "MSKANJI", "WIN932", "WINDOWS932",
        "BIG5", "WIN950",   "WINDOWS950",   "GBK",     "WIN936", "WINDOWS936",
        "UHC",  "WIN949",   "WINDOWS949",   "GB18030", "JOHAB",
    };
    const char *name = s->string[0] != '\0' ? s->string : s->final;
    char plain[SCAN_WORD] = "";
    size_t n = 0;
    for (const char *p = name; *p != '\0'; p++)
        if ((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9'))
            plain[n++] = *p;
    if (!s->names_encoding || !is_one_of(plain, unsafe, ARRAY_LEN(unsafe)))
        return true;
    err_set(e, ERR_DAMAGED, "line %lld: client encoding %s cannot be read safely",
            (long long)s->statement_line, name);
    err_hint(e, "Make the dump with pg_dump --encoding=UTF8.");
    return false;
}

bool foreign_rule_statement(const struct foreign_scan *s, struct err *e)
{
    static const char *const naming[] = {"COMMENT", "GRANT", "REVOKE", "SECURITY"};
    char said[SCAN_WORD + sizeof(" ON DATABASE")];
    if (s->on_database && is_one_of(s->lead[0], naming, ARRAY_LEN(naming))) {
        snprintf(said, sizeof(said), "%s ON DATABASE", s->lead[0]);
        return refuse(s->statement_line, hint_remove, e, said);
    }
    if (s->copies_elsewhere)
        return refuse(s->statement_line, hint_copy, e, "COPY with a file or program of the server");
    if (s->names_strings && (strcmp(s->lead[0], "SET") != 0 ||
                             (strcmp(s->final, "ON") != 0 && strcmp(s->final, "OFF") != 0)))
        return err_set(e, ERR_DAMAGED,
                       "line %lld: standard_conforming_strings is set in a way that cannot be"
                       " followed",
                       (long long)s->statement_line);
    return shared_object(s, e) && unsafe_encoding(s, e);
}

/* psql knows these without being told; all others stay as they are written. */
bool foreign_rule_variable(const struct foreign_scan *s, const char *name, struct err *e)
{
    static const char *const known[] = {
        "AUTOCOMMIT",
        "COMP_KEYWORD_CASE",
        "DBNAME",
        "ECHO",
        "ECHO_HIDDEN",
        "ENCODING",
        "ERROR",
        "FETCH_COUNT",
        "HIDE_TABLEAM",
        "HIDE_TOAST_COMPRESSION",
        "HISTCONTROL",
        "HISTFILE",
        "HISTSIZE",
        "HOST",
        "IGNOREEOF",
        "LASTOID",
        "LAST_ERROR_MESSAGE",
        "LAST_ERROR_SQLSTATE",
        "ON_ERROR_ROLLBACK",
        "ON_ERROR_STOP",
        "PIPELINE_COMMAND_COUNT",
        "PIPELINE_RESULT_COUNT",
        "PIPELINE_SYNC_COUNT",
        "PORT",
        "PROMPT1",
        "PROMPT2",
        "PROMPT3",
        "QUIET",
        "ROW_COUNT",
        "SERVER_VERSION_NAME",
        "SERVER_VERSION_NUM",
        "SERVICE",
        "SERVICEFILE",
        "SHELL_ERROR",
        "SHELL_EXIT_CODE",
        "SHOW_ALL_RESULTS",
        "SHOW_CONTEXT",
        "SINGLELINE",
        "SINGLESTEP",
        "SQLSTATE",
        "USER",
        "VERBOSITY",
        "VERSION",
        "VERSION_NAME",
        "VERSION_NUM",
        "WATCH_INTERVAL",
    };
    if (!is_one_of(name, known, ARRAY_LEN(known)))
        return true;
    err_set(e, ERR_DAMAGED, "line %lld: psql would replace :%s by its variable", (long long)s->line,
            name);
    err_hint(e, "Put a blank behind the colon, or give an archive of pg_dump.");
    return false;
}
