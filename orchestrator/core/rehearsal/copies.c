#include "core/rehearsal/copies.h"

#include "base/log.h"
#include "core/restore/full.h"
#include "core/restore/side.h"

/* Larger ones are copied by files: PostgreSQL writes every block of the other way into the WAL. */
static const int64_t BY_FILES_FROM = 64LL << 20;

struct making {
    struct arena *arena;
    const struct copies_spec *spec;
    struct copies *made;
    struct pg *db; /* maintenance */
    struct database_facts like;
};

/* --- the limit ----------------------------------------------------------------------------------
 */

static bool in_time(const struct copies_spec *s, struct err *e)
{
    return !deadline_passed(&s->limit) || err_set(e, ERR_TIMEOUT, "%s has passed", s->limit_name);
}

static bool say(void *context, const struct progress_now *now, struct err *e)
{
    const struct copies_spec *s = context;
    return in_time(s, e) &&
           (s->also == NULL || s->also->say == NULL || s->also->say(s->also->context, now, e));
}

static void table(void *context, const char *schema, const char *name, int64_t rows, int64_t bytes)
{
    const struct copies_spec *s = context;
    if (s->also != NULL && s->also->table != NULL)
        s->also->table(s->also->context, schema, name, rows, bytes);
}

/* --- the two ------------------------------------------------------------------------------------
 */

static const char *oid_of(const struct making *m, const char *name, struct err *e)
{
    return pg_value(m->arena, m->db, "SELECT oid FROM pg_database WHERE datname = $1",
                    PG_ARGS(name), e);
}

static bool note(const struct making *m, const char *part, const char *purpose, const char *name,
                 const char *oid, struct err *e)
{
    return m->spec->note(m->spec->context, part, purpose, name, oid, e);
}

static bool restore(struct making *m, struct err *e)
{
    const struct copies_spec *s = m->spec;
    const char *purpose = s->standby ? "standby" : "rehearsal";
    const char *name = side_name(m->arena, s->live, purpose, s->run);
    struct progress progress = {.say = say, .table = table, .context = (void *)(uintptr_t)s};
    const struct restore_spec full = {.server = s->server,
                                      .target = name,
                                      .backup = s->backup,
                                      .pg_bin = s->pg_bin,
                                      .jobs = s->jobs,
                                      .progress = &progress};
    int64_t began = clock_ms();
    if (!note(m, "create", purpose, name, NULL, e) ||
        !side_create(m->arena, m->db, &(struct side_spec){name, purpose, s->run, &m->like}, e))
        return false;
    m->made->work = name;
    m->made->work_oid = oid_of(m, name, e);
    m->made->restored = m->made->work_oid != NULL &&
                        note(m, "created", purpose, name, m->made->work_oid, e) &&
                        restore_full(m->arena, &full, e);
    progress_release(&progress);
    m->made->restore_ms = clock_ms() - began;
    return m->made->restored && in_time(s, e);
}

static bool make_copy(struct making *m, const char *name, struct err *e)
{
    const struct copies_spec *s = m->spec;
    const struct session_use use = {.application_name = "migsafe",
                                    .statement_timeout_ms =
                                        s->limit.at_ms == 0 ? 0 : deadline_left_ms(&s->limit) + 1};
    AUTO(pg)
    struct pg *db = connection_open_maintenance(s->server, s->maintenance_database, &use, e);
    const struct side_spec side = {name, "rehearsal", s->run, &m->like};
    bool by_files = s->backup->manifest.database.bytes >= BY_FILES_FROM;
    /* Nobody writes into what is to stand by, and nobody is in the way of its copy. */
    return db != NULL && side_allow(m->arena, db, m->made->work, false, e) &&
           side_copy(m->arena, db, &side, m->made->work, by_files, e);
}

/* The copy becomes what is worked on, the restored one the standby.  That it cannot be made is no
 * failure: then the restored one is worked on. */
static bool copy(struct making *m, struct err *e)
{
    struct copies *c = m->made;
    struct err why = {0};
    const char *name = side_name(m->arena, m->spec->live, "rehearsal", m->spec->run);
    int64_t began = clock_ms();
    if (!note(m, "create", "rehearsal", name, NULL, e))
        return false;
    if (!make_copy(m, name, &why)) {
        *e = why;
        if (why.kind == ERR_CANCELLED || !in_time(m->spec, e))
            return false;
        *e = (struct err){0};
        c->no_standby = arena_strdup(m->arena, why.message);
        return side_allow(m->arena, m->db, c->work, true, e);
    }
    c->standby = c->work;
    c->standby_oid = c->work_oid;
    c->work = name;
    c->work_oid = NULL;
    c->work_oid = oid_of(m, name, e);
    c->copy_ms = clock_ms() - began;
    return c->work_oid != NULL && note(m, "created", "rehearsal", name, c->work_oid, e) &&
           note(m, "standby", "standby", c->standby, c->standby_oid, e);
}

/* Settings of the database and of roles in it are there for a migration too; so are the rights by
 * which the application's role comes in.  The comment is our mark. */
static bool give_properties(const struct making *m, struct err *e)
{
    struct database_facts want = m->spec->backup->manifest.database, have;
    if (!database_read(m->arena, m->db, m->made->work, &have, e))
        return false;
    want.comment = have.comment;
    want.connection_limit = -1; /* the sampler comes in besides */
    return database_apply(m->arena, m->db, m->made->work, &want, e);
}

bool copies_make(struct arena *a, const struct copies_spec *spec, struct copies *c, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    *c = (struct copies){0};
    struct making m = {
        .arena = a, .spec = spec, .made = c, .like = spec->backup->manifest.database};
    m.like.name = spec->live;
    AUTO(pg)
    struct pg *db = connection_open_maintenance(spec->server, spec->maintenance_database, &use, e);
    m.db = db;
    return db != NULL && restore(&m, e) && (!spec->standby || copy(&m, e)) &&
           give_properties(&m, e);
}

/* --- their end ----------------------------------------------------------------------------------
 */

bool copies_are_there(struct arena *a, struct pg *maintenance, const char *name, const char *oid)
{
    struct err ignored = {0};
    const char *is =
        name == NULL || oid == NULL
            ? NULL
            : pg_value(a, maintenance, "SELECT oid FROM pg_database WHERE datname = $1",
                       PG_ARGS(name), &ignored);
    return is != NULL && strcmp(is, oid) == 0;
}

bool copies_drop(struct arena *a, struct pg *maintenance, const char *name, const char *oid,
                 struct err *e)
{
    return !copies_are_there(a, maintenance, name, oid) || side_drop(a, maintenance, name, e);
}
