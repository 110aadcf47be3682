/*
 * A data backup: the rows alone, for tables that are there.
 */
#include "core/backup/export_sql.h"

#include "base/version.h"
#include "core/backup/export_rows.h"
#include "ext/pg.h"

static const char settings[] = "SET statement_timeout = 0;\n"
                               "SET lock_timeout = 0;\n"
                               "SET idle_in_transaction_session_timeout = 0;\n"
                               "SET standard_conforming_strings = on;\n"
                               "SELECT pg_catalog.set_config('search_path', '', false);\n"
                               "SET check_function_bodies = false;\n"
                               "SET xmloption = content;\n"
                               "SET client_min_messages = warning;\n"
                               "SET row_security = off;\n";

/* Of the rows.  Names are in UTF-8 always. */
static const char *encoding_of(const struct manifest *m)
{
    return m->data_encoding == NULL ? m->database.encoding : m->data_encoding;
}

static bool is_utf8(const struct manifest *m)
{
    return strcmp(encoding_of(m), "UTF8") == 0;
}

/* A comment of one line. */
static char *said(struct arena *a, const char *text)
{
    char *line = arena_strdup(a, text == NULL ? "?" : text);
    for (char *p = line; *p != '\0'; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    return line;
}

static bool put_head(struct arena *a, const struct export_spec *spec, struct pack *to,
                     struct err *e)
{
    const struct manifest *m = &spec->backup->manifest;
    struct str s = str_on(a);
    str_printf(&s,
               "--\n-- PostgreSQL database dump\n--\n\n"
               "-- Dumped from database version %s\n-- Dumped by migsafe %s: the data of backup"
               " %s\n\n",
               said(a, m->server_version), MIGSAFE_VERSION, spec->backup->id);
    str_printf(&s, "SET client_encoding = %s;\n%s",
               pg_literal(a, spec->inserts ? encoding_of(m) : "UTF8"), settings);
    str_add(&s, "\n-- The tables come in the order of their names, not in that of foreign keys.\n");
    if (spec->disable_triggers)
        str_add(&s, "-- For this session neither foreign keys nor triggers act: superuser only.\n"
                    "SET session_replication_role = replica;\n");
    else
        str_add(&s, "-- Where these are in the way, a superuser may take the next line in.\n"
                    "-- SET session_replication_role = replica;\n");
    str_add(&s, "\n");
    return export_text(to, s.text, e);
}

static bool is_ledger(const struct manifest *m, const struct manifest_table *t)
{
    for (size_t i = 0; i < m->ledgers.count; i++)
        if (strcmp(t->name, "_prisma_migrations") == 0 &&
            strcmp(t->schema, m->ledgers.items[i].schema) == 0)
            return true;
    return false;
}

static char *target_of(struct arena *a, const struct manifest_table *t, bool *no_columns)
{
    struct str columns = str_on(a);
    for (size_t i = 0; i < t->column_count; i++)
        if (!t->columns[i].generated)
            str_item(&columns, ", ", pg_ident(a, t->columns[i].name));
    *no_columns = columns.length == 0;
    const char *name = t->load_root_name == NULL
                           ? pg_ident2(a, t->schema, t->name)
                           : pg_ident2(a, t->load_root_schema, t->load_root_name);
    return *no_columns ? arena_strdup(a, name) : arena_printf(a, "%s (%s)", name, columns.text);
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text > 0x7F)
            return false;
    return true;
}

static bool put_table(const struct export_spec *spec, const struct manifest_table *t,
                      struct pack *to, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    const struct manifest *m = &spec->backup->manifest;
    const char *shown = said(a, pg_ident2(a, t->schema, t->name));
    struct export_rows rows = {
        .backup = spec->backup, .file = t->file, .inserts = spec->inserts, .overriding = true};
    if (is_ledger(m, t))
        return export_text(to,
                           arena_printf(a,
                                        "--\n-- %s is left out: it tells of the schema that is"
                                        " there.\n--\n\n",
                                        shown),
                           e);
    rows.target = target_of(a, t, &rows.no_columns);
    if (!is_utf8(m) && spec->inserts && !is_ascii(rows.target)) {
        err_set(e, ERR_USAGE,
                "the names of table %s and the text of its rows are not in one encoding", shown);
        err_hint(e, "Export it without --inserts.");
        return false;
    }
    rows.encoding = is_utf8(m) ? NULL : encoding_of(m);
    rows.label = t->file == NULL ? "" : store_file_label(a, t->file, t);
    return export_text(to, arena_printf(a, "--\n-- Data for %s\n--\n\n", shown), e) &&
           export_rows(a, &rows, to, e);
}

static bool put_sequences(struct arena *a, const struct manifest *m, struct pack *to, struct err *e)
{
    struct str s = str_on(a);
    str_add(&s, "SET client_encoding = 'UTF8';\n");
    for (size_t i = 0; i < m->sequence_count; i++) {
        const struct manifest_sequence *q = &m->sequences[i];
        str_printf(&s, "SELECT pg_catalog.setval(%s, %lld, %s);\n",
                   pg_literal(a, pg_ident2(a, q->schema, q->name)), (long long)q->last_value,
                   q->is_called ? "true" : "false");
    }
    str_printf(&s, "\n--\n-- PostgreSQL database dump complete\n--\n\n");
    return export_text(to, s.text, e);
}

bool export_data_sql(struct arena *a, const struct export_spec *spec, struct pack *to,
                     struct err *e)
{
    const struct manifest *m = &spec->backup->manifest;
    if (!put_head(a, spec, to, e))
        return false;
    for (size_t i = 0; i < m->table_count; i++)
        if (!put_table(spec, &m->tables[i], to, e))
            return false;
    return export_large_objects(a, spec->backup, true, to, e) && put_sequences(a, m, to, e);
}
