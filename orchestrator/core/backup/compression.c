#include "core/backup/compression.h"

#include "base/str.h"

enum { GZIP_MAX = 9, ZSTD_MAX = 19, ZSTD_READ_FROM = 160000 };

/* The number behind a prefix, 1 to max, without leading zeros; 0: none. */
static int level_after(const char *text, const char *prefix, int max)
{
    if (!str_starts(text, prefix))
        return 0;
    const char *digits = text + strlen(prefix);
    if (digits[0] < '1' || strlen(digits) > 2 || digits[strspn(digits, "0123456789")] != '\0')
        return 0;
    long level = strtol(digits, NULL, 10);
    return level > max ? 0 : (int)level;
}

bool compression_parse(const char *text, struct compression *c, struct err *e)
{
    *c = (struct compression){.codec = MEMBER_NONE};
    if (text == NULL || strcmp(text, "auto") == 0) {
        c->automatic = true;
        return true;
    }
    if (strcmp(text, "none") == 0)
        return true;
    c->codec = MEMBER_GZIP;
    c->level = level_after(text, "gzip:", GZIP_MAX);
    if (c->level > 0)
        return true;
    c->codec = MEMBER_ZSTD;
    c->level = level_after(text, "zstd:", ZSTD_MAX);
    return c->level > 0 || err_set(e, ERR_CONFIG,
                                   "setting \"compression\" is none of auto, none, gzip:1 to "
                                   "gzip:9, zstd:1 to zstd:19");
}

struct compression compression_for(struct compression c, int server_version)
{
    if (!c.automatic)
        return c;
    return (struct compression){
        .codec = server_version >= ZSTD_READ_FROM ? MEMBER_ZSTD : MEMBER_GZIP, .level = 1};
}

char *compression_text(struct arena *a, struct compression c)
{
    if (c.codec == MEMBER_NONE)
        return arena_strdup(a, "none");
    return arena_printf(a, "%s:%d", c.codec == MEMBER_GZIP ? "gzip" : "zstd", c.level);
}
