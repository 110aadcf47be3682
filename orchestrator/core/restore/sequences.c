#include "core/restore/sequences.h"

enum { BATCH_BYTES = 1 << 16 };

char *sequence_command(struct arena *a, const struct manifest_sequence *s)
{
    return arena_printf(a, "SELECT pg_catalog.setval(%s, %lld, %s);\n",
                        pg_literal(a, pg_ident2(a, s->schema, s->name)), (long long)s->last_value,
                        s->is_called ? "true" : "false");
}

static bool run(struct pg *db, struct str *batch, size_t least, struct err *e)
{
    if (batch->length <= least)
        return true;
    bool ok = pg_exec(db, batch->text, e) || err_wrap(e, "could not set sequences");
    batch->length = 0;
    return ok;
}

static bool set_by_manifest(struct arena *a, struct pg *db, const struct manifest *m, struct err *e)
{
    struct str batch = str_on(a);
    for (size_t i = 0; i < m->sequence_count; i++) {
        str_add(&batch, sequence_command(a, &m->sequences[i]));
        if (!run(db, &batch, BATCH_BYTES, e))
            return false;
    }
    return run(db, &batch, 0, e);
}

static bool set_by_archive(struct arena *a, struct pg *db, const struct toc *toc, struct err *e)
{
    struct str batch = str_on(a);
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        if (strcmp(entry->type, "SEQUENCE SET") != 0 || entry->definition == NULL)
            continue;
        str_add(&batch, entry->definition);
        if (!run(db, &batch, BATCH_BYTES, e))
            return false;
    }
    return run(db, &batch, 0, e);
}

static bool has_sequences(const struct toc *toc)
{
    for (size_t i = 0; toc != NULL && i < toc->count; i++)
        if (strcmp(toc->entries[i].type, "SEQUENCE SET") == 0)
            return true;
    return false;
}

bool sequences_set(struct arena *a, struct pg *db, const struct manifest *m, const struct toc *toc,
                   struct err *e)
{
    if (!has_sequences(toc))
        return set_by_manifest(a, db, m, e);
    /* Names in an archive are in its own encoding, its strings as its own setting has them. */
    return pg_execf(db, e, "SET client_encoding = %s; SET standard_conforming_strings = %s",
                    pg_literal(a, m->database.encoding), toc_old_strings(toc) ? "off" : "on") &&
           set_by_archive(a, db, toc, e) &&
           pg_exec(db, "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on", e);
}
