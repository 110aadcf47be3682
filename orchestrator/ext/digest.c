#include "ext/digest.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

enum { PIECE_BYTES = 128 * 1024 };

static void put_hex(char *text, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * n] = '\0';
}

char *digest_sha256(struct arena *a, const void *bytes, size_t n)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (EVP_Digest(bytes, n, sum, &length, EVP_sha256(), NULL) != 1)
        abort(); /* libcrypto without SHA-256, or out of memory */
    char *hex = arena_alloc(a, 2 * (size_t)length + 1);
    put_hex(hex, sum, length);
    return hex;
}

struct digest {
    EVP_MD_CTX *md;
};

void digest_close(struct digest *d)
{
    if (d == NULL)
        return;
    EVP_MD_CTX_free(d->md);
    free(d);
}

/* libcrypto without SHA-256, or out of memory, ends the process. */
struct digest *digest_open(void)
{
    struct digest *d = calloc(1, sizeof(*d));
    if (d == NULL)
        abort();
    d->md = EVP_MD_CTX_new();
    if (d->md == NULL || EVP_DigestInit_ex(d->md, EVP_sha256(), NULL) != 1)
        abort();
    return d;
}

void digest_add(struct digest *d, const void *bytes, size_t n)
{
    if (EVP_DigestUpdate(d->md, bytes, n) != 1)
        abort();
}

void digest_end(struct digest *d, char hex[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (EVP_DigestFinal_ex(d->md, sum, &length) != 1 || length != 32)
        abort();
    put_hex(hex, sum, length);
}

static bool add_file(struct digest *d, const char *path, struct err *e)
{
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(arena) struct arena *scratch = arena_new();
    char *piece = arena_alloc(scratch, PIECE_BYTES);
    if (fd < 0)
        return err_sys(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "could not read \"%s\"",
                       path);
    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return err_sys(e, ERR_SYSTEM, "could not read \"%s\"", path);
        if (n > 0)
            digest_add(d, piece, (size_t)n);
    }
}

bool digest_file(struct arena *a, const char *path, char **hex, struct err *e)
{
    AUTO(digest) struct digest *d = digest_open();
    if (!add_file(d, path, e))
        return false;
    *hex = arena_alloc(a, 65);
    digest_end(d, *hex);
    return true;
}

static char *to_base64(struct arena *a, const unsigned char *bytes, size_t n)
{
    unsigned char *text = arena_alloc(a, (n + 2) / 3 * 4 + 1);
    EVP_EncodeBlock(text, bytes, (int)n);
    return (char *)text;
}

char *digest_hmac(struct arena *a, const void *key, size_t key_length, const void *bytes, size_t n)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (HMAC(EVP_sha256(), key, (int)key_length, bytes, n, sum, &length) == NULL)
        abort(); /* libcrypto without SHA-256, or out of memory */
    return to_base64(a, sum, length);
}

unsigned char *digest_from_base64(struct arena *a, const char *text, size_t *length)
{
    size_t n = strlen(text), padding = 0;
    while (padding < 2 && n > padding && text[n - 1 - padding] == '=')
        padding++;
    unsigned char *bytes = arena_alloc(a, n / 4 * 3 + 1);
    if (n == 0 || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789+/") != n - padding)
        return NULL;
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)n);
    if (decoded < 0)
        return NULL;
    *length = (size_t)decoded - padding;
    return bytes;
}
