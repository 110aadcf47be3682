#include "base/log.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SECRETS = 32, LINE_BYTES = 4096 };

static enum log_level least_level = LOG_INFO;
static bool as_json;
static FILE *streams[2];
static bool in_place; /* a line is there that is to be written over */
static char *secrets[SECRETS];
static size_t secret_count;

static const char *const labels[] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

void log_init(enum log_level least, FILE *to)
{
    least_level = least;
    streams[0] = to;
}

void log_level_set(enum log_level least)
{
    least_level = least;
}

void log_json(bool on)
{
    as_json = on;
}

void log_copy_to(FILE *file)
{
    streams[1] = file;
}

void log_secret(const char *secret)
{
    if (secret == NULL || strlen(secret) < 3 || secret_count == SECRETS)
        return;
    for (size_t i = 0; i < secret_count; i++)
        if (strcmp(secrets[i], secret) == 0)
            return;
    secrets[secret_count] = strdup(secret);
    secret_count += secrets[secret_count] != NULL;
}

static size_t secret_at(const char *text)
{
    size_t longest = 0;
    for (size_t i = 0; i < secret_count; i++) {
        size_t n = strlen(secrets[i]);
        if (n > longest && strncmp(text, secrets[i], n) == 0)
            longest = n;
    }
    return longest;
}

void log_redact(const char *text, char *to, size_t size)
{
    size_t used = 0;
    while (*text != '\0' && used + 4 < size) {
        size_t n = secret_at(text);
        if (n > 0) {
            memcpy(to + used, "***", 3);
            used += 3;
            text += n;
        } else {
            to[used++] = *text++;
        }
    }
    to[used] = '\0';
}

static void put_json_text(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", c);
        else if (c < 0x20)
            fprintf(to, "\\u%04x", c);
        else
            fputc(c, to);
    }
}

static void put_json(FILE *to, const char *label, const char *part, const char *text)
{
    struct timespec ts;
    struct tm tm;
    char at[32];
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
    fprintf(to, "{\"at\":\"%s.%03ldZ\",\"level\":\"%s\",\"%s\":\"", at, ts.tv_nsec / 1000000, label,
            part);
    put_json_text(to, text);
    fputs("\"}\n", to);
}

static bool is_terminal(FILE *stream)
{
    const char *kind = getenv("TERM");
    return stream != NULL && kind != NULL && strcmp(kind, "dumb") != 0 && fileno(stream) >= 0 &&
           isatty(fileno(stream)) == 1;
}

/* One character less than fits: some terminals begin a new line with the last. */
static int width(FILE *stream)
{
    struct winsize size = {0};
    bool known = ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return (known ? size.ws_col : 80) - 1;
}

bool log_in_place(const char *text)
{
    if (as_json || least_level < LOG_INFO || !is_terminal(streams[0]))
        return false;
    if (text != NULL)
        fprintf(streams[0], "\r%.*s\033[K", width(streams[0]), text);
    else if (in_place)
        fputs("\r\033[K", streams[0]);
    fflush(streams[0]);
    in_place = text != NULL;
    return true;
}

/* part: "message", "detail" or "hint". */
static void put(enum log_level level, const char *part, const char *text)
{
    if (in_place)
        log_in_place(NULL);
    char clean[LINE_BYTES];
    log_redact(text, clean, sizeof(clean));
    bool is_message = strcmp(part, "message") == 0;
    for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
        if (streams[i] == NULL)
            continue;
        if (as_json)
            put_json(streams[i], labels[level], part, clean);
        else
            fprintf(streams[i], "migsafe: %s: %s\n", is_message ? labels[level] : part, clean);
        fflush(streams[i]);
    }
}

void log_line(enum log_level level, const char *fmt, ...)
{
    if (level > least_level)
        return;
    char line[LINE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    put(level, "message", line);
}

void log_err_as(enum log_level level, const struct err *e)
{
    if (level > least_level)
        return;
    put(level, "message", e->message);
    if (e->detail[0] != '\0')
        put(level, "detail", e->detail);
    if (e->hint[0] != '\0')
        put(level, "hint", e->hint);
}

void log_err(const struct err *e)
{
    log_err_as(LOG_ERROR, e);
}
