/*
 * A full backup: pg_restore's script, with the data put in.
 */
#include "core/backup/export_sql.h"

#include "base/log.h"
#include "base/proc.h"
#include "base/random.h"
#include "core/backup/export_rows.h"
#include "core/backup/toc.h"
#include "core/restore/tool_run.h"
#include "core/scratch.h"

enum {
    TIMEOUT_MS = 24 * 60 * 60 * 1000,
    KEPT_BYTES = 64 * 1024,
    VERSION_UNIT = 10000,
    KEY_BYTES = 16,
};

struct script {
    struct arena *arena;
    const struct export_spec *spec;
    struct pack *to;
    struct toc toc;          /* as it was */
    struct manifest sorted;  /* files by name */
    struct strlist always;   /* tables with GENERATED ALWAYS AS IDENTITY, as SQL */
    bool old_strings;        /* the script has standard_conforming_strings off */
    const char *key;         /* "-- migsafe data <hex> ": nobody can have written it */
    struct str held;         /* printed, not yet passed on */
    bool large_objects_done; /* all are put in at the first of their entries */
};

/* --- the copy of toc.dat ------------------------------------------------------------------------
 */

/* The name that SQL begins with; a quoted one may hold blanks. */
static char *table_of(struct arena *a, const char *sql)
{
    bool quoted = false;
    const char *p = sql;
    for (; *p != '\0' && (quoted || *p != ' '); p++)
        quoted = quoted != (*p == '"');
    return arena_strndup(a, sql, (size_t)(p - sql));
}

/* "ALTER TABLE public.t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (": as pg_dump makes it,
 * with the sequence that is behind it. */
static void note_identity(struct script *s, const struct toc_entry *entry)
{
    static const char begin[] = "ALTER TABLE ";
    if (entry->definition != NULL && strcmp(entry->type, "SEQUENCE") == 0 &&
        str_starts(entry->definition, begin) &&
        strstr(entry->definition, " ADD GENERATED ALWAYS AS IDENTITY") != NULL)
        strlist_add(&s->always, table_of(s->arena, entry->definition + strlen(begin)));
}

/* Entries with data become comments that say which they were. */
static bool write_marked_toc(struct script *s, const char *folder, struct err *e)
{
    struct toc marked = s->toc;
    marked.entries = arena_array(s->arena, marked.count + 1, sizeof(*marked.entries));
    for (size_t i = 0; i < marked.count; i++) {
        struct toc_entry *entry = &marked.entries[i];
        *entry = s->toc.entries[i];
        note_identity(s, entry);
        if (!entry->has_data)
            continue;
        entry->has_data = false;
        entry->definition = arena_printf(s->arena, "%s%zu\n", s->key, i);
        entry->drop = entry->copy = NULL;
        entry->file = "";
    }
    toc_set_compression(&marked, TOC_PLAIN, 0);
    return toc_write(s->arena, folder, &marked, e);
}

/* --- the data -----------------------------------------------------------------------------------
 */

/* "public.t (a, b)" of "COPY public.t (a, b) FROM stdin;\n"; without columns "public.t". */
static char *target_of(struct arena *a, const char *copy)
{
    static const char begin[] = "COPY ", end[] = " FROM stdin;\n";
    size_t n = copy == NULL ? 0 : strlen(copy), fixed = strlen(begin) + strlen(end);
    if (n <= fixed || !str_starts(copy, begin) || !str_ends(copy, end))
        return NULL;
    return str_trim(a, arena_strndup(a, copy + strlen(begin), n - fixed));
}

static bool put_table(struct script *s, const struct toc_entry *entry, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *target = target_of(a, entry->copy);
    if (target == NULL)
        return err_set(e, ERR_DAMAGED, "toc.dat has no COPY for table \"%s\"", entry->tag);
    const char *table = table_of(a, target);
    const struct manifest_table like = {.schema = entry->schema == NULL ? "" : entry->schema,
                                        .name = entry->tag};
    const char *file = store_packed_name(a, &s->sorted, entry->file);
    if (file == NULL)
        return err_set(e, ERR_DAMAGED, "%s is not among the files of the manifest",
                       store_file_label(a, entry->file == NULL ? "" : entry->file, &like));
    const struct export_rows rows = {
        .backup = s->spec->backup,
        .file = file,
        .label = store_file_label(a, file, &like),
        .target = target,
        .no_columns = strcmp(table, target) == 0,
        .inserts = s->spec->inserts,
        .overriding = strlist_has(&s->always, table),
    };
    bool switches = s->old_strings && s->spec->inserts;
    return (!switches || export_text(s->to, "SET standard_conforming_strings = on;\n", e)) &&
           export_rows(a, &rows, s->to, e) &&
           (!switches || export_text(s->to, "SET standard_conforming_strings = off;\n\n", e));
}

static bool put_data(struct script *s, size_t index, struct err *e)
{
    if (index >= s->toc.count || !s->toc.entries[index].has_data)
        return err_set(e, ERR_INTERNAL, "pg_restore printed a mark that is none of ours");
    const struct toc_entry *entry = &s->toc.entries[index];
    if (strcmp(entry->type, "TABLE DATA") == 0)
        return put_table(s, entry, e);
    if (strcmp(entry->type, "BLOBS") != 0)
        return err_set(e, ERR_DAMAGED, "toc.dat has data of an unknown type \"%s\"", entry->type);
    if (s->large_objects_done)
        return true;
    s->large_objects_done = true;
    AUTO(arena) struct arena *a = arena_new();
    return export_large_objects(a, s->spec->backup, false, s->to, e);
}

/* --- the script on its way ----------------------------------------------------------------------
 */

static void drop_held(struct script *s, size_t n)
{
    s->held.length -= n;
    memmove(s->held.text, s->held.text + n, s->held.length + 1);
}

static bool pass(struct script *s, size_t n, struct err *e)
{
    if (!pack_write(s->to, s->held.text, n, e))
        return false;
    drop_held(s, n);
    return true;
}

/* Passes on what is printed; where a mark stands, the data.  Held back is what may be the beginning
 * of a mark. */
static bool take(void *context, const char *bytes, size_t n, struct err *e)
{
    struct script *s = context;
    size_t key = strlen(s->key);
    str_add_n(&s->held, bytes, n);
    for (;;) {
        char *found = memmem(s->held.text, s->held.length, s->key, key);
        if (found == NULL)
            return s->held.length < key || pass(s, s->held.length - key + 1, e);
        if (!pass(s, (size_t)(found - s->held.text), e))
            return false;
        char *end = memchr(s->held.text, '\n', s->held.length);
        if (end == NULL)
            return true;
        size_t index = strtoul(s->held.text + key, NULL, 10);
        drop_held(s, (size_t)(end - s->held.text) + 1);
        if (!put_data(s, index, e))
            return false;
    }
}

static void add_options(const struct export_spec *spec, struct strlist *argv)
{
    strlist_add(argv, "--format=directory");
    strlist_add(argv, "--file=-");
    if (spec->clean) {
        strlist_add(argv, "--clean");
        strlist_add(argv, "--if-exists");
    }
    if (spec->no_owner)
        strlist_add(argv, "--no-owner");
    if (spec->no_acl)
        strlist_add(argv, "--no-acl");
}

static bool run_pg_restore(struct script *s, const char *folder, struct err *e)
{
    struct arena *a = s->arena;
    const char *path, *made_by = s->toc.tool_version == NULL ? "" : s->toc.tool_version;
    struct strlist argv = strlist_on(a);
    struct proc_result result;
    int version = (int)strtol(made_by, NULL, 10) * VERSION_UNIT;
    if (!connection_tool(a, s->spec->pg_bin, "pg_restore", version, &path, e))
        return false;
    strlist_add(&argv, path);
    add_options(s->spec, &argv);
    strlist_add(&argv, folder);
    log_debug("running %s", proc_line(a, argv.items));
    const struct proc_spec proc = {
        .argv = argv.items,
        .env = (const char *const[]){"PG*", NULL},
        .timeout_ms = TIMEOUT_MS,
        .out_max = KEPT_BYTES,
        .take = take,
        .context = s,
    };
    return proc_run(a, &proc, &result, e) &&
           (result.exit_status == 0 || tool_error(a, "pg_restore", result.err, e)) &&
           pass(s, s->held.length, e);
}

bool export_full_sql(struct arena *a, const struct export_spec *spec, struct pack *to,
                     struct err *e)
{
    struct script s = {
        .arena = a,
        .spec = spec,
        .to = to,
        .sorted = store_sorted(a, &spec->backup->manifest),
        .always = strlist_on(a),
        .key = arena_printf(a, "-- migsafe data %s ", random_hex(a, KEY_BYTES)),
        .held = str_on(a),
    };
    struct scratch scratch;
    if (!toc_read(a, spec->backup->folder, &s.toc, e))
        return false;
    s.old_strings = toc_old_strings(&s.toc);
    bool ok = scratch_folder(a, spec->scratch, "export", &scratch, e) &&
              write_marked_toc(&s, scratch.path, e) && run_pg_restore(&s, scratch.path, e);
    scratch_remove(&scratch);
    return ok;
}
