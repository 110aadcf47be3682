#include "core/restore/proof_objects.h"

#include "base/stop.h"
#include "core/backup/blobs.h"
#include "core/backup/copy.h"
#include "core/restore/load.h"
#include "ext/digest.h"

enum { PIECE_BYTES = 1 << 20 };

bool proof_session(struct pg *db, const struct manifest *m, struct err *e)
{
    load_money(db, manifest_lc_monetary(m));
    return copy_settings(db, e);
}

/* As many bytes as fit, unless the end comes first. */
static bool fill(struct blob_reader *r, char *piece, size_t *n, struct err *e)
{
    size_t got = 1;
    for (*n = 0; *n < PIECE_BYTES && got > 0; *n += got)
        if (!blob_read(r, piece + *n, PIECE_BYTES - *n, &got, e))
            return false;
    return true;
}

static bool compare_one(struct pg *db, const struct stored *s, const struct blob *blob, bool *same,
                        struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(blob_reader) struct blob_reader *r = blob_open(a, s, blob, e);
    char *piece = arena_alloc(a, PIECE_BYTES);
    *same = true;
    if (r == NULL)
        return false;
    size_t n = PIECE_BYTES;
    for (int64_t at = 0; n == PIECE_BYTES && *same; at += (int64_t)n) {
        AUTO(arena) struct arena *round = arena_new();
        if (!stop_check(e) || !fill(r, piece, &n, e))
            return false;
        const char *sum = pg_value(
            round, db, "SELECT encode(sha256(lo_get($1::oid, $2::bigint, $3::int)), 'hex')",
            PG_ARGS(blob->oid, arena_printf(round, "%lld", (long long)at),
                    arena_printf(round, "%d", (int)PIECE_BYTES)),
            e);
        if (sum == NULL)
            return false;
        *same = strcmp(sum, digest_sha256(round, piece, n)) == 0;
    }
    return true;
}

bool proof_large_objects(struct arena *a, struct pg *db, const struct stored *s,
                         const char **damage, struct err *e)
{
    struct blob *blobs;
    size_t count;
    *damage = NULL;
    if (!blobs_list(a, s, &blobs, &count, e))
        return false;
    for (size_t i = 0; i < count && *damage == NULL; i++) {
        bool same;
        if (!compare_one(db, s, &blobs[i], &same, e)) {
            if (strcmp(e->sqlstate, "42704") != 0)
                return err_wrap(e, "could not compare large object %s", blobs[i].oid);
            *e = (struct err){0};
            *damage = arena_printf(a, "large object %s is missing when restored", blobs[i].oid);
        } else if (!same) {
            *damage =
                arena_printf(a, "large object %s restores to other bytes than file \"%s\" has",
                             blobs[i].oid, blobs[i].file);
        }
    }
    return true;
}
