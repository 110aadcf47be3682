#include "core/rehearsal/outlook.h"

#include "base/clock.h"
#include "base/fs.h"
#include "sql/queries.h"

enum {
    /* A restore with its indexes takes 2.4 to 3.6 times as long as the backup did
     * (docs/BENCHMARKS.md); before there is one it is taken for this rate. */
    RESTORE_TIMES = 4,
    BYTES_A_MS = 20 << 10,
    COPY_BYTES_A_MS = 100 << 10,
};

static int64_t estimate(const struct rehearsal_outlook_facts *f)
{
    int64_t bytes = f->bytes > 0 ? f->bytes : 0;
    int64_t restore = f->backup_ms > 0 ? f->backup_ms * RESTORE_TIMES : bytes / BYTES_A_MS;
    return restore + bytes / COPY_BYTES_A_MS;
}

/* A restored database is hardly larger than the one it was taken from. */
static int64_t room_for(int64_t bytes, int copies)
{
    return bytes * copies + bytes / 10 * copies + OUTLOOK_RESERVE;
}

static const char *no_room(struct arena *a, const struct rehearsal_outlook_facts *f, int copies)
{
    int64_t unseen = copies > 1 ? OUTLOOK_UNSEEN_COPY : OUTLOOK_UNSEEN_RESTORE;
    if (f->bytes < 0)
        return "the size of the database is not known";
    if (f->free_bytes < 0 && f->bytes > unseen)
        return arena_printf(a,
                            "the server's disk cannot be seen from here, and the database has %s "
                            "(more than %s)",
                            str_bytes(a, f->bytes), str_bytes(a, unseen));
    if (f->free_bytes >= 0 && f->free_bytes < room_for(f->bytes, copies))
        return arena_printf(a, "the server's disk has %s free, %s are needed",
                            str_bytes(a, f->free_bytes), str_bytes(a, room_for(f->bytes, copies)));
    return NULL;
}

static const char *not_this(struct arena *a, const struct rehearsal_outlook_facts *f,
                            int64_t estimated_ms)
{
    bool always = strcmp(f->setting, "always") == 0;
    const char *room = no_room(a, f, 1);
    if (strcmp(f->setting, "never") == 0)
        return "setting \"rehearse\" is \"never\"";
    if (f->powerless != NULL)
        return arena_printf(a, "role %s may not create databases", f->powerless);
    if (f->reaches_past != NULL)
        return arena_printf(a, "%s in migration \"%s\" would reach past the copy", f->reaches_past,
                            f->reaching);
    /* Asked for, it is made where nothing speaks against it. */
    if (room != NULL && !(always && f->free_bytes < 0))
        return room;
    if (!always && f->limit_ms > 0 && estimated_ms > f->limit_ms)
        return arena_printf(a, "it would take about %s, setting \"%s\" is %s",
                            clock_human_ms(a, estimated_ms), f->limit_name,
                            clock_human_ms(a, f->limit_ms));
    return NULL;
}

struct rehearsal_outlook rehearsal_outlook(struct arena *a, const struct rehearsal_outlook_facts *f)
{
    struct rehearsal_outlook o = {.estimated_ms = estimate(f)};
    o.why = not_this(a, f, o.estimated_ms);
    o.rehearse = o.why == NULL;
    o.no_standby = o.rehearse ? no_room(a, f, 2) : NULL;
    o.standby = o.rehearse && o.no_standby == NULL;
    return o;
}

void rehearsal_outlook_json(const struct rehearsal_outlook *o, struct json *to)
{
    json_put_bool(to, "rehearse", o->rehearse);
    json_put(to, "why", o->why);
    json_put_bool(to, "standby", o->standby);
    json_put(to, "no_standby", o->no_standby);
    json_put_int(to, "estimated_ms", o->estimated_ms);
}

char *rehearsal_outlook_line(struct arena *a, const struct rehearsal_outlook *o)
{
    if (!o->rehearse)
        return arena_printf(a, "no rehearsal: %s", o->why);
    return arena_printf(a,
                        "rehearsal: on a restored copy, about %s and what the migrations take%s%s",
                        clock_human_ms(a, o->estimated_ms),
                        o->standby ? "; the untouched copy stands by" : "; no standby: ",
                        o->standby ? "" : o->no_standby);
}

/* A tunnel or a container's port looks local too: the server must say so as well, and its folder
 * must be here. */
int64_t rehearsal_free_bytes(struct arena *a, struct pg *db, const struct connection *server,
                             const char *live)
{
    struct pg_rows rows;
    struct err ignored = {0};
    int64_t bytes;
    if (!connection_is_local(server) ||
        !pg_query(a, db, sql_rehearsal_disk, PG_ARGS(live), &rows, &ignored) || rows.count == 0 ||
        !pg_cell_bool(&rows, 0, "local"))
        return -1;
    const char *folder = pg_cell(&rows, 0, "folder");
    return folder != NULL && fs_free_bytes(folder, &bytes, &ignored) ? bytes : -1;
}
