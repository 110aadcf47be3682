#include "core/restore/foreign_scan.h"

#include "base/str.h"

enum state {
    TOP,
    WORD,
    NUMBER,
    VARIABLE, /* ":name" */
    LINE_COMMENT,
    BLOCK_COMMENT,
    QUOTED,
    QUOTED_END, /* behind a quote that is the last one, unless another follows */
    DOLLAR_TAG,
    DOLLAR,
    COMMAND, /* from a backslash to the end of its line */
    DATA,
};

enum copy { NO_COPY, COPY_BEGUN, COPY_FROM, COPY_TO, COPY_IN, COPY_PENDING };
enum data { LINE_BEGUN, LINE_BACKSLASH, LINE_DOT, LINE_CR, LINE_OTHER };

static const char behind_copy[] = "something follows COPY ... FROM stdin on its line";

static bool bad(const struct foreign_scan *s, struct err *e, const char *what)
{
    return err_set(e, ERR_DAMAGED, "line %lld: %s", (long long)s->line, what);
}

static char upper(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_name(char c)
{
    return (upper(c) >= 'A' && upper(c) <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static bool in_name(char c) /* also of a variable or a tag, but for "$" */
{
    return begins_name(c) || is_digit(c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static void keep(struct foreign_scan *s, char c)
{
    if (s->text_length < SCAN_WORD - 1)
        s->text[s->text_length] = c;
    s->text_length++;
    s->text[s->text_length < SCAN_WORD ? s->text_length : SCAN_WORD - 1] = '\0';
}

static void keep_nothing(struct foreign_scan *s)
{
    s->text[0] = '\0';
    s->text_length = 0;
}

static void copy_upper(char to[SCAN_WORD], const char *from)
{
    size_t n = 0;
    for (; from[n] != '\0' && n < SCAN_WORD - 1; n++)
        to[n] = upper(from[n]);
    to[n] = '\0';
}

/* --- statements ---------------------------------------------------------------------------------
 */

static void forget_statement(struct foreign_scan *s)
{
    memset(s->lead, 0, sizeof(s->lead));
    s->final[0] = s->string[0] = '\0';
    s->tokens = s->name_count = 0;
    memset(s->names, 0, sizeof(s->names));
    s->parens = s->begins = 0;
    s->on_database = s->names_strings = s->names_encoding = s->copies_elsewhere = false;
    s->copy = s->copy == COPY_IN ? COPY_PENDING : NO_COPY;
}

static bool end_statement(struct foreign_scan *s, struct err *e)
{
    const char *verb = s->lead[0];
    if (s->copy == COPY_PENDING)
        return bad(s, e, behind_copy);
    if (s->tokens > 0 && !foreign_rule_statement(s, e))
        return false;
    if (s->names_strings)
        s->plain_escapes = strcmp(s->final, "OFF") == 0;
    s->creates = s->creates || strcmp(verb, "CREATE") == 0;
    s->loads = s->loads || strcmp(verb, "INSERT") == 0 || s->copy == COPY_IN;
    s->opaque = s->opaque || strcmp(verb, "DO") == 0 || strcmp(verb, "CALL") == 0;
    forget_statement(s);
    return true;
}

/* psql counts BEGIN and END in bodies of functions: a semicolon in them ends nothing. */
static void count_begins(struct foreign_scan *s, const char *word)
{
    static const char *const known[] = {"CREATE", "FUNCTION", "PROCEDURE", "OR", "REPLACE"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (s->name_count < SCAN_LEAD && strcmp(word, known[i]) == 0)
            s->names[s->name_count] = word[0];
    if (s->name_count < SCAN_LEAD)
        s->name_count++;
    const char *n = s->names;
    bool routine = n[0] == 'C' && (n[1] == 'F' || n[1] == 'P' ||
                                   (n[1] == 'O' && n[2] == 'R' && (n[3] == 'F' || n[3] == 'P')));
    if (!routine || s->parens > 0)
        return;
    if (strcmp(word, "BEGIN") == 0 || (strcmp(word, "CASE") == 0 && s->begins > 0))
        s->begins++;
    else if (strcmp(word, "END") == 0 && s->begins > 0)
        s->begins--;
}

/* The first FROM or TO tells, unless it is a column or table behind a point. */
static void follow_copy(struct foreign_scan *s, const char *word)
{
    if (s->tokens == 0) {
        s->copy = strcmp(word, "COPY") == 0 ? COPY_BEGUN : NO_COPY;
    } else if (s->copy == COPY_FROM || s->copy == COPY_TO) {
        bool through_us = strcmp(word, "STDIN") == 0 || strcmp(word, "STDOUT") == 0;
        s->copies_elsewhere = !through_us;
        s->copy = through_us && s->copy == COPY_FROM ? COPY_IN : NO_COPY;
    } else if (s->copy == COPY_BEGUN && s->parens == 0 && strcmp(s->final, ".") != 0 &&
               (strcmp(word, "FROM") == 0 || strcmp(word, "TO") == 0))
        s->copy = word[0] == 'F' ? COPY_FROM : COPY_TO;
}

/* word: upper case, or one byte of punctuation, or "" for strings and quoted names. */
static bool token(struct foreign_scan *s, const char *word, struct err *e)
{
    if (s->copy == COPY_PENDING)
        return bad(s, e, behind_copy);
    if (s->tokens == 0)
        s->statement_line = s->line;
    follow_copy(s, word);
    if (s->tokens < SCAN_LEAD && begins_name(word[0]))
        copy_upper(s->lead[s->tokens], word);
    if (strcmp(word, "DATABASE") == 0 && strcmp(s->final, "ON") == 0)
        s->on_database = true;
    bool sets_owner = strcmp(word, "TO") == 0 && strcmp(s->final, "OWNER") == 0;
    bool becomes_owner = strcmp(word, "AUTHORIZATION") == 0 && strcmp(s->final, "SESSION") == 0;
    s->names_owner =
        s->names_owner || becomes_owner || (sets_owner && strcmp(s->lead[0], "ALTER") == 0);
    if (strcmp(word, "STANDARD_CONFORMING_STRINGS") == 0)
        s->names_strings = true;
    if (strcmp(word, "CLIENT_ENCODING") == 0 || strcmp(word, "NAMES") == 0)
        s->names_encoding = true;
    copy_upper(s->final, word);
    s->tokens++;
    if (s->tokens > 1 || s->any)
        return true;
    s->any = true;
    return word[0] == '(' || foreign_rule_first(s, e);
}

static bool end_word(struct foreign_scan *s, struct err *e)
{
    char word[SCAN_WORD];
    copy_upper(word, s->text_length < SCAN_WORD ? s->text : "");
    s->state = TOP;
    count_begins(s, word);
    return token(s, word[0] == '\0' ? "_" : word, e);
}

static bool end_variable(struct foreign_scan *s, struct err *e)
{
    bool known = s->text_length > 0 && s->text_length < SCAN_WORD;
    s->after_colon = false;
    return !known || foreign_rule_variable(s, s->text, e);
}

static bool punctuation(struct foreign_scan *s, char c, struct err *e)
{
    const char word[2] = {c, '\0'};
    if (c == ';' && s->parens == 0 && s->begins == 0)
        return end_statement(s, e);
    if (c == '(')
        s->parens++;
    else if (c == ')' && s->parens > 0)
        s->parens--;
    return token(s, word, e);
}

/* --- bytes --------------------------------------------------------------------------------------
 */

static bool open_quote(struct foreign_scan *s, char c, bool escapes, struct err *e)
{
    s->state = QUOTED;
    s->quote = c;
    s->escapes = escapes;
    s->after_colon = s->last == ':';
    s->last = '\0';
    keep_nothing(s);
    return token(s, "", e);
}

static bool open_comment(struct foreign_scan *s, enum state state, struct err *e)
{
    if (state == BLOCK_COMMENT && s->copy == COPY_PENDING)
        return bad(s, e, behind_copy);
    s->state = (int)state;
    s->depth = 1;
    s->last = '\0';
    s->comment_length = 0;
    return true;
}

static bool at_punctuation(struct foreign_scan *s, char c, struct err *e)
{
    char last = s->last;
    s->last = c;
    if (c == '?' && last == '{')
        return bad(s, e, "psql would replace :{?...} by its variable");
    if ((c == ':' || c == '=') && last == ':')
        s->last = '\0'; /* a cast or an assignment */
    if ((unsigned char)c < ' ' || c == 0x7f)
        return bad(s, e, "this is not SQL: it holds control characters");
    return punctuation(s, c, e);
}

static bool at_newline(struct foreign_scan *s)
{
    if (s->copy == COPY_PENDING) {
        s->copy = NO_COPY;
        s->state = DATA;
        s->data_state = LINE_BEGUN;
    }
    return true;
}

static bool at_token(struct foreign_scan *s, char c, struct err *e)
{
    if (c == '\'')
        return open_quote(s, c, s->plain_escapes, e);
    if (c == '"')
        return open_quote(s, c, false, e);
    bool named = begins_name(c), variable = s->last == ':' && in_name(c);
    if (!named && !is_digit(c) && c != '$' && c != '\\')
        return at_punctuation(s, c, e);
    s->last = '\0';
    keep_nothing(s);
    if (in_name(c))
        keep(s, c);
    if (variable)
        s->state = VARIABLE;
    else if (named)
        s->state = WORD;
    else
        s->state = c == '$' ? DOLLAR_TAG : c == '\\' ? COMMAND : NUMBER;
    /* Others are told when they end: a word may be the prefix of a string. */
    return s->state != NUMBER || token(s, "", e);
}

static bool at_top(struct foreign_scan *s, char c, struct err *e)
{
    char held = s->held;
    s->held = '\0';
    if (held == '-' && c == '-')
        return open_comment(s, LINE_COMMENT, e);
    if (held == '/' && c == '*')
        return open_comment(s, BLOCK_COMMENT, e);
    if (held != '\0' && !at_punctuation(s, held, e))
        return false;
    if (c == '-' || c == '/') {
        s->held = c;
        return true;
    }
    if (!is_blank(c))
        return at_token(s, c, e);
    s->last = '\0';
    return c != '\n' || at_newline(s);
}

static bool in_word(struct foreign_scan *s, char c, struct err *e)
{
    if (in_name(c) || c == '$') {
        keep(s, c);
        return true;
    }
    char prefix = '\0';
    if (s->text_length == 1)
        prefix = upper(s->text[0]);
    if (c == '\'' && prefix == 'E')
        return open_quote(s, c, true, e);
    if (c == '\'' && (prefix == 'B' || prefix == 'X'))
        return open_quote(s, c, false, e);
    return end_word(s, e) && at_top(s, c, e);
}

static bool in_number(struct foreign_scan *s, char c, struct err *e)
{
    if (in_name(c) || c == '.')
        return true;
    if (c == '\'' || c == '"' || c == '$')
        return bad(s, e, "a quote touches a number");
    s->state = TOP;
    return at_top(s, c, e);
}

static bool in_variable(struct foreign_scan *s, char c, struct err *e)
{
    if (in_name(c)) {
        keep(s, c);
        return true;
    }
    s->state = TOP;
    return end_variable(s, e) && token(s, "", e) && at_top(s, c, e);
}

static const char *said_by(const char *comment, const char *words)
{
    return str_starts(comment, words) ? comment + strlen(words) : NULL;
}

/* What pg_dump says of itself. */
static void end_comment(struct foreign_scan *s)
{
    s->comment[s->comment_length < SCAN_COMMENT ? s->comment_length : SCAN_COMMENT - 1] = '\0';
    const char *server = said_by(s->comment, " Dumped from database version "),
               *tool = said_by(s->comment, " Dumped by pg_dump version ");
    if (server != NULL && s->server_version[0] == '\0')
        snprintf(s->server_version, SCAN_VERSION, "%.*s", (int)strcspn(server, " \r"), server);
    if (tool != NULL && s->tool_version[0] == '\0')
        snprintf(s->tool_version, SCAN_VERSION, "%.*s", (int)strcspn(tool, " \r"), tool);
    s->of_pg_dump = s->of_pg_dump || tool != NULL;
    s->complete = s->complete || str_starts(s->comment, " PostgreSQL database dump complete");
}

static bool in_line_comment(struct foreign_scan *s, char c)
{
    if (c == '\n') {
        end_comment(s);
        s->state = TOP;
        return at_newline(s);
    }
    if (s->comment_length < SCAN_COMMENT - 1)
        s->comment[s->comment_length++] = c;
    return true;
}

static bool in_block_comment(struct foreign_scan *s, char c)
{
    char last = s->last;
    s->last = c;
    if (last == '/' && c == '*')
        s->depth++;
    else if (last == '*' && c == '/')
        s->depth--;
    else
        return true;
    s->last = '\0';
    if (s->depth == 0)
        s->state = TOP;
    return true;
}

static bool in_quoted(struct foreign_scan *s, char c)
{
    if (s->escaped) {
        s->escaped = false;
    } else if (c == s->quote) {
        s->state = QUOTED_END;
        return true;
    } else {
        s->escaped = s->escapes && c == '\\';
    }
    keep(s, c);
    return true;
}

static bool after_quoted(struct foreign_scan *s, char c, struct err *e)
{
    if (c == s->quote) {
        s->state = QUOTED;
        keep(s, c);
        return true;
    }
    s->state = TOP;
    s->last = '\0';
    if (s->quote == '\'')
        copy_upper(s->string, s->text);
    return (!s->after_colon || end_variable(s, e)) && at_top(s, c, e);
}

/* Behind a "$": a dollar quote when name bytes and another "$" follow, else a parameter or nothing.
 */
static bool in_dollar_tag(struct foreign_scan *s, char c, struct err *e)
{
    if (c == '$') {
        if (s->text_length >= SCAN_WORD)
            return bad(s, e, "the tag of a dollar quote is too long");
        memcpy(s->tag, s->text, s->text_length + 1);
        s->tag_length = s->text_length;
        s->in_candidate = false;
        s->state = DOLLAR;
        return token(s, "", e);
    }
    if (s->text_length == 0 ? begins_name(c) : in_name(c)) {
        keep(s, c);
        return true;
    }
    s->state = s->text_length > 0 ? WORD : is_digit(c) ? NUMBER : TOP;
    if (s->state == NUMBER)
        return token(s, "", e);
    return s->state == WORD ? in_word(s, c, e) : at_top(s, c, e);
}

static bool in_dollar(struct foreign_scan *s, char c)
{
    if (c == '$') {
        if (s->in_candidate && s->candidate == s->tag_length) {
            s->state = TOP;
            s->last = '\0';
        }
        s->in_candidate = true;
        s->candidate = 0;
    } else if (s->in_candidate) {
        s->in_candidate = s->candidate < s->tag_length && c == s->tag[s->candidate];
        s->candidate++;
    }
    return true;
}

/* Only "\restrict KEY" and "\unrestrict KEY", KEY of letters and digits, to the end of the line. */
static bool in_command(struct foreign_scan *s, char c, struct err *e)
{
    if (c != '\n') {
        keep(s, c);
        return true;
    }
    const char *word = s->text, *key = NULL;
    if (str_starts(word, "restrict "))
        key = word + strlen("restrict ");
    else if (str_starts(word, "unrestrict "))
        key = word + strlen("unrestrict ");
    size_t n = 0;
    while (key != NULL && in_name(key[n]))
        n++;
    if (key == NULL || n == 0 || strchr(key + n, '\\') != NULL ||
        (key[n] != '\0' && !is_blank(key[n]))) {
        err_set(e, ERR_DAMAGED, "line %lld: the command \"\\%.*s\" of psql is not allowed",
                (long long)s->line, (int)strcspn(word, " \t\r"), word);
        err_hint(e, "A dump needs none. pg_dump --create (-C) and pg_dumpall write \\connect: make"
                    " the dump of one database, without -C.");
        return false;
    }
    s->state = TOP;
    return at_newline(s);
}

static bool in_data(struct foreign_scan *s, char c)
{
    enum data was = (enum data)s->data_state;
    if (c == '\n') {
        if (was == LINE_DOT || was == LINE_CR)
            s->state = TOP;
        s->data_state = LINE_BEGUN;
    } else if (was == LINE_BEGUN && c == '\\') {
        s->data_state = LINE_BACKSLASH;
    } else if (was == LINE_BACKSLASH && c == '.') {
        s->data_state = LINE_DOT;
    } else {
        s->data_state = was == LINE_DOT && c == '\r' ? LINE_CR : LINE_OTHER;
    }
    return true;
}

static bool step(struct foreign_scan *s, char c, struct err *e)
{
    bool in_code =
        s->state != QUOTED && s->state != DOLLAR && s->state != DATA && s->state != BLOCK_COMMENT;
    if (s->after_cr && c != '\n')
        return bad(s, e, "a carriage return without a line feed");
    s->after_cr = in_code && c == '\r';
    switch ((enum state)s->state) {
    case TOP:
        return at_top(s, c, e);
    case WORD:
        return in_word(s, c, e);
    case NUMBER:
        return in_number(s, c, e);
    case VARIABLE:
        return in_variable(s, c, e);
    case LINE_COMMENT:
        return in_line_comment(s, c);
    case BLOCK_COMMENT:
        return in_block_comment(s, c);
    case QUOTED:
        return in_quoted(s, c);
    case QUOTED_END:
        return after_quoted(s, c, e);
    case DOLLAR_TAG:
        return in_dollar_tag(s, c, e);
    case DOLLAR:
        return in_dollar(s, c);
    case COMMAND:
        return in_command(s, c, e);
    case DATA:
        return in_data(s, c);
    }
    return true;
}

/* How many bytes from i on mean nothing: the bulk of a dump. */
static size_t idle(const struct foreign_scan *s, const char *bytes, size_t n)
{
    char wanted;
    if (s->state == DATA && s->data_state == LINE_OTHER)
        wanted = '\n';
    else if (s->state == DOLLAR && !s->in_candidate)
        wanted = '$';
    else
        return 0;
    const char *found = memchr(bytes, wanted, n);
    return found == NULL ? n : (size_t)(found - bytes);
}

static int64_t count_lines(const char *bytes, size_t n)
{
    int64_t lines = 0;
    for (const char *p = bytes, *end = bytes + n;
         p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    return lines;
}

void foreign_scan_begin(struct foreign_scan *s)
{
    *s = (struct foreign_scan){.line = 1, .state = TOP};
}

bool foreign_scan(struct foreign_scan *s, char *bytes, size_t n, struct err *e)
{
    if (memchr(bytes, '\0', n) != NULL)
        return err_set(e, ERR_DAMAGED, "this is not SQL: it holds zero bytes");
    for (size_t i = 0; i < n; i++) {
        size_t skip = idle(s, bytes + i, n - i);
        s->line += count_lines(bytes + i, skip);
        i += skip;
        if (i == n)
            break;
        char c = bytes[i];
        if (s->marks < 3 && c == "\xEF\xBB\xBF"[s->marks]) {
            s->marks++;
            bytes[i] = ' ';
            continue;
        }
        s->marks = 3;
        if (!step(s, c, e))
            return false;
        if (s->state == COMMAND)
            bytes[i] = ' ';
        s->line += c == '\n';
    }
    return true;
}

static bool cut_off(const struct foreign_scan *s, struct err *e)
{
    const char *inside = NULL;
    if (s->state == DATA || s->copy == COPY_PENDING || s->copy == COPY_IN)
        inside = "the rows of a COPY";
    else if (s->state == QUOTED || s->state == DOLLAR)
        inside = "quotes";
    else if (s->state == BLOCK_COMMENT)
        inside = "a comment";
    else if (s->of_pg_dump && !s->complete)
        inside = "a dump of pg_dump: its last line is missing";
    return inside == NULL ||
           err_set(e, ERR_DAMAGED, "it is cut off at line %lld, in %s", (long long)s->line, inside);
}

bool foreign_scan_end(struct foreign_scan *s, struct err *e)
{
    int64_t line = s->line;
    /* As if the last line had an end, which may be the end of its last word too. */
    bool ends = s->state != QUOTED && s->state != DOLLAR && s->state != DATA;
    if (ends && !step(s, '\n', e))
        return false;
    s->line = line;
    if (!cut_off(s, e) || !end_statement(s, e))
        return false;
    return s->any || err_set(e, ERR_DAMAGED, "it holds no SQL");
}
