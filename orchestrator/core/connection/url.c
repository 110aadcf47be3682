#include "core/connection/url.h"

#include <arpa/inet.h>
#include <ctype.h>

char *url_clean(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    size_t n = strlen(text);
    while (n > 0 && (unsigned char)text[n - 1] <= ' ')
        n--;
    for (size_t i = 0; i < n; i++)
        if (strchr("\t\r\n", text[i]) == NULL && (s.length > 0 || (unsigned char)text[i] > ' '))
            str_add_n(&s, &text[i], 1);
    return s.text;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *url_decode(struct arena *a, const char *text)
{
    if (text == NULL)
        return NULL;
    char *out = arena_strdup(a, text), *to = out;
    for (const char *p = text; *p != '\0'; p++) {
        const bool escape = p[0] == '%' && p[1] != '\0';
        int high = escape ? hex(p[1]) : -1, low = high < 0 ? -1 : hex(p[2]);
        if (low < 0) {
            *to++ = *p;
            continue;
        }
        *to = (char)(high * 16 + low);
        if (*to++ == '\0')
            return NULL;
        p += 2;
    }
    *to = '\0';
    return out;
}

/* Length of the well-formed sequence at p, 0: none (overlong forms and surrogates are none). */
static size_t utf8_sequence(const unsigned char *p)
{
    static const struct {
        unsigned char first, last, second_from, second_to;
        size_t length;
    } forms[] = {
        {0x00, 0x7F, 0x00, 0xFF, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (*p < forms[i].first || *p > forms[i].last)
            continue;
        if (forms[i].length > 1 && (p[1] < forms[i].second_from || p[1] > forms[i].second_to))
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if (p[k] < 0x80 || p[k] > 0xBF)
                return 0;
        return forms[i].length;
    }
    return 0;
}

static bool is_utf8(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        size_t n = utf8_sequence(p);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

char *url_decode_utf8(struct arena *a, const char *text)
{
    char *decoded = url_decode(a, text);
    return decoded == NULL || is_utf8(decoded) ? decoded : arena_strdup(a, text);
}

char *url_encode(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    for (const char *p = text; *p != '\0'; p++)
        if (isalnum((unsigned char)*p) || strchr("-._~", *p) != NULL)
            str_add_n(&s, p, 1);
        else
            str_printf(&s, "%%%02X", (unsigned)(unsigned char)*p);
    return s.text;
}

/* NULL when it holds a zero byte, as url_decode. */
static char *form_decode(struct arena *a, const char *text, size_t n)
{
    char *copy = arena_strndup(a, text, n);
    for (char *p = copy; *p != '\0'; p++)
        if (*p == '+')
            *p = ' ';
    return url_decode(a, copy);
}

bool url_next_pair(struct arena *a, const char **query, struct url_pair *pair)
{
    while (**query == '&')
        (*query)++;
    if (**query == '\0')
        return false;
    const char *start = *query;
    size_t n = strcspn(start, "&");
    const char *equals = memchr(start, '=', n);
    size_t name_length = equals == NULL ? n : (size_t)(equals - start);
    *query = start + n;
    pair->raw = arena_strndup(a, start, n);
    pair->name = form_decode(a, start, name_length);
    pair->value = equals == NULL ? "" : form_decode(a, equals + 1, n - name_length - 1);
    if (pair->name == NULL || pair->value == NULL)
        pair->name = pair->value = ""; /* a zero byte: no name that anyone knows */
    return true;
}

static bool take_scheme(struct arena *a, const char **p, struct url *url, struct err *e)
{
    size_t n = 0;
    while (isalnum((unsigned char)(*p)[n]) || (n > 0 && strchr("+.-", (*p)[n]) && (*p)[n]))
        n++;
    if (n == 0 || !isalpha((unsigned char)**p) || !str_starts(*p + n, "://")) {
        err_set(e, ERR_CONFIG, "the URL does not begin with a scheme");
        if (**p == '"' || **p == '\'')
            err_hint(e, "The URL begins with a quote: take the quotes off.");
        else
            err_hint(e, "It must begin with postgresql://.");
        return false;
    }
    char *scheme = arena_strndup(a, *p, n);
    for (char *c = scheme; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    url->scheme = scheme;
    *p += n + 3;
    return true;
}

static bool bad_host(struct err *e, const char *what)
{
    err_set(e, ERR_CONFIG, "%s in the URL", what);
    err_hint(e,
             "A \"/\", \"?\", \"#\" or \"%%\" in the password must be written as %%2F, %%3F, %%23 "
             "or %%25.");
    return false;
}

static bool take_port(struct arena *a, const char *text, struct url *url, struct err *e)
{
    size_t n = strspn(text, "0123456789");
    long port = n == 0 || n > 5 ? 0 : strtol(text, NULL, 10);
    if (text[0] != '\0' && (text[n] != '\0' || port < 1 || port > 65535))
        return bad_host(e, "invalid port number");
    url->port = arena_strdup(a, text);
    return true;
}

/* "host", "host:port", "[::1]:port" */
static bool take_host(struct arena *a, const char *text, struct url *url, struct err *e)
{
    struct in6_addr address;
    const char *end = text[0] == '[' ? strchr(text, ']') : text + strcspn(text, ":");
    if (text[0] == '[') {
        url->is_ipv6 = true;
        url->host = end == NULL ? "" : arena_strndup(a, text + 1, (size_t)(end - text) - 1);
        if (inet_pton(AF_INET6, url->host, &address) != 1)
            return bad_host(e, "invalid IPv6 address");
        end++;
    } else {
        url->host = arena_strndup(a, text, (size_t)(end - text));
    }
    if (strchr(text, ',') != NULL) {
        err_set(e, ERR_CONFIG, "the URL names several hosts");
        err_hint(e, "Prisma takes one host only: name the primary.");
        return false;
    }
    if (strpbrk(url->host, " \"<>[\\]^`{|}") != NULL || (*end != ':' && *end != '\0'))
        return bad_host(e, "invalid host name");
    return take_port(a, *end == ':' ? end + 1 : "", url, e);
}

static bool take_authority(struct arena *a, const char *text, struct url *url, struct err *e)
{
    url->user = url->password = "";
    const char *at = strrchr(text, '@');
    if (at != NULL) {
        const char *colon = memchr(text, ':', (size_t)(at - text));
        const char *user_end = colon == NULL ? at : colon;
        url->user = arena_strndup(a, text, (size_t)(user_end - text));
        if (colon != NULL)
            url->password = arena_strndup(a, colon + 1, (size_t)(at - colon) - 1);
    }
    return take_host(a, at == NULL ? text : at + 1, url, e);
}

bool url_split(struct arena *a, const char *text, struct url *url, struct err *e)
{
    *url = (struct url){.user = "", .password = ""};
    const char *p = url_clean(a, text);
    if (*p == '\0')
        return err_set(e, ERR_CONFIG, "the URL is empty");
    if (!take_scheme(a, &p, url, e))
        return false;
    size_t n = strcspn(p, "/?#");
    const char *authority = arena_strndup(a, p, n);
    p += n;
    n = strcspn(p, "?#");
    url->path = arena_strndup(a, p, n);
    p += n;
    if (*p == '?')
        p++;
    url->query = arena_strndup(a, p, strcspn(p, "#"));
    return take_authority(a, authority, url, e);
}

static void add_secret(struct strlist *secrets, const char *secret)
{
    if (secret != NULL && secret[0] != '\0' && !strlist_has(secrets, secret))
        strlist_add(secrets, secret);
}

void url_secrets(struct arena *a, const char *text, struct strlist *secrets)
{
    const char *clean = url_clean(a, text);
    const char *start = strstr(clean, "://");
    /* Up to the very last "@", so that a wrong URL's password is covered as well. */
    const char *colon = start == NULL ? NULL : strchr(start + 3, ':');
    const char *at = colon == NULL ? NULL : strrchr(colon, '@');
    if (at != NULL) {
        const char *whole = arena_strndup(a, colon + 1, (size_t)(at - colon) - 1);
        add_secret(secrets, whole);
        add_secret(secrets, url_decode(a, whole));
    }
    struct url url;
    struct url_pair pair;
    struct err ignored = {0};
    if (!url_split(a, text, &url, &ignored))
        return;
    add_secret(secrets, url.password);
    add_secret(secrets, url_decode(a, url.password));
    for (const char *q = url.query; url_next_pair(a, &q, &pair);)
        if (strcmp(pair.name, "sslpassword") == 0)
            add_secret(secrets, pair.value);
}
