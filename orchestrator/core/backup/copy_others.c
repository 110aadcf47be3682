/*
 * Sequences and large objects.  Neither has anything that needs a lock in the way of DDL for long:
 * what they take goes with the next ROLLBACK TO.
 */
#include "core/backup/copier.h"

#include "base/stop.h"

enum { FIRST_BYTES = 16 << 10, MORE_BYTES = 256 << 10 };

static bool let_go(struct copier *c, struct err *e)
{
    return pg_exec(c->db, "ROLLBACK TO SAVEPOINT table_lock", e);
}

static bool take_state(const struct pg_rows *rows, struct plan *p, size_t from, struct err *e)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct manifest_sequence *s = p->sequences[from + i].to;
        s->last_value = pg_cell_int(rows, i, "last_value");
        s->is_called = pg_cell_bool(rows, i, "is_called");
        if (pg_cell_int(rows, i, "position") != (int64_t)i)
            return err_set(e, ERR_INTERNAL, "sequences came out of order");
    }
    return true;
}

/* After the snapshot: a sequence only goes on, whoever used a value of it is in the snapshot. */
bool copy_sequences(struct copier *c, struct plan *p, const struct plan_item *item, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str sql = str_on(a);
    struct pg_rows rows;
    for (size_t i = item->from; i < item->to; i++)
        str_printf(&sql, "%sSELECT %zu AS position, last_value, is_called FROM %s",
                   i == item->from ? "" : " UNION ALL ", i - item->from, p->sequences[i].in.quoted);
    str_add(&sql, " ORDER BY 1");
    if (!let_go(c, e) || !pg_query(a, c->db, sql.text, PG_NONE, &rows, e))
        return err_wrap(e, "could not read the sequences");
    if (rows.count != item->to - item->from)
        return err_set(e, ERR_INTERNAL, "a sequence has not one state");
    return take_state(&rows, p, item->from, e) && let_go(c, e);
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* "\x0a0b" behind what is in the buffer, which has room. */
static size_t add_hex(struct copier *c, const char *hex)
{
    size_t n = 0;
    for (hex += 2; hex[0] != '\0' && hex[1] != '\0'; hex += 2)
        c->text[c->used + n++] = (char)(digit(hex[0]) << 4 | digit(hex[1]));
    c->used += n;
    return n;
}

static bool add_member(struct copier *c, struct datafile *f, struct err *e)
{
    struct datafile_piece piece = {.text_n = c->used};
    datafile_lock(f);
    bool ok = packer_pack(c->packer, c->text, c->used, &piece.bytes, &piece.n, e) &&
              datafile_add(f, &piece, e);
    datafile_unlock(f);
    copy_count(c, c->used, 0);
    c->used = 0;
    return ok;
}

/* first: what is known of it already. */
static bool copy_one(struct copier *c, struct plan_large *large, const char *first, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *oid = arena_printf(a, "%u", large->oid);
    c->used = 0;
    size_t n = add_hex(c, first), asked = FIRST_BYTES;
    for (int64_t at = (int64_t)n; n == asked; at += (int64_t)n) {
        AUTO(arena) struct arena *scratch = arena_new();
        const char *from = arena_printf(scratch, "%lld", (long long)at);
        asked = MORE_BYTES;
        if (c->used + asked > MEMBER_TEXT_BYTES && !add_member(c, &large->file, e))
            return false;
        const char *more = pg_value(scratch, c->db, "SELECT lo_get($1::oid, $2::bigint, 262144)",
                                    PG_ARGS(oid, from), e);
        if (more == NULL || !stop_check(e))
            return false;
        n = add_hex(c, more);
    }
    return add_member(c, &large->file, e) && datafile_end(&large->file, e);
}

bool copy_large(struct copier *c, struct plan *p, const struct plan_item *item, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct strlist oids = strlist_on(a);
    struct pg_rows rows;
    for (size_t i = item->from; i < item->to; i++)
        strlist_printf(&oids, "%u", p->large[i].oid);
    if (!let_go(c, e) ||
        !pg_query(a, c->db,
                  "SELECT x, lo_get(x, 0, 16384) FROM unnest($1::oid[]) WITH ORDINALITY AS l (x, i)"
                  " ORDER BY i",
                  PG_ARGS(pg_array(a, oids.items, oids.count)), &rows, e))
        return err_wrap(e, "could not read large objects");
    for (size_t i = 0; i < rows.count; i++)
        if (!copy_one(c, &p->large[item->from + i], rows.cells[2 * i + 1], e))
            return err_wrap(e, "could not copy large object %s", rows.cells[2 * i]);
    return true;
}
