#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "cmd/backup_find.h"
#include "cmd/cmd.h"
#include "cmd/progress_line.h"
#include "core/restore/proof.h"

struct job {
    struct cmd_context *ctx;
    struct stored backup;
    struct stored proven; /* what is restored: the backup, or the full one of the same moment */
    bool restores;
    struct progress *progress;
    struct verify_result files;
    struct proof_result proof;
    int64_t began_ms;
};

static const char *level_of(const struct job *j)
{
    return j->restores ? "restore" : "files";
}

/* --- which backup is restored -------------------------------------------------------------------
 */

/* The same files: what proves one proves the other. */
static bool same_tables(const struct manifest *data, const struct manifest *full)
{
    for (size_t i = 0; i < data->table_count; i++) {
        const struct manifest_table *t = &data->tables[i];
        const struct manifest_table *other = manifest_table_find(full, t->schema, t->name);
        if (other == NULL || !str_same(other->sha256, t->sha256) || other->rows != t->rows)
            return false;
    }
    return data->table_count == full->table_count && data->large_objects == full->large_objects;
}

static bool is_twin(const struct manifest *data, const struct stored *s)
{
    const struct manifest *m = &s->manifest;
    return s->damage == NULL && strcmp(m->kind, "full") == 0 &&
           strcmp(m->snapshot, data->snapshot) == 0 && strcmp(m->lsn, data->lsn) == 0 &&
           strcmp(m->started_at, data->started_at) == 0 && same_tables(data, m);
}

/* A data backup has no schema: it is proven by the full one of the same snapshot. */
static bool find_proven(struct job *j, struct err *e)
{
    struct store store;
    j->proven = j->backup;
    if (!j->restores || strcmp(j->backup.manifest.kind, "full") == 0)
        return true;
    if (!store_read(j->ctx->arena, j->ctx->settings->backup_dir, &store, e))
        return false;
    for (size_t i = 0; i < store.count; i++)
        if (is_twin(&j->backup.manifest, &store.items[i])) {
            j->proven = store.items[i];
            return true;
        }
    err_set(e, ERR_USAGE, "backup \"%s\" holds only data, and the full one taken with it is gone",
            j->backup.id);
    err_hint(e, "Run it with --level files, or preview it: migsafe restore %s --dry-run.",
             j->backup.id);
    return false;
}

/* --- the two levels -----------------------------------------------------------------------------
 */

static bool check_files(struct job *j, struct err *e)
{
    const struct verify_spec spec = {
        .backup = &j->proven, .jobs = j->ctx->settings->jobs, .progress = j->progress};
    log_info("checking the files of backup %s", j->proven.id);
    return backup_verify(j->ctx->arena, &spec, &j->files, e) &&
           verify_verdict(j->ctx->arena, &j->backup, j->files.damages, j->files.damage_count, e);
}

static bool check_restore(struct job *j, struct err *e)
{
    struct arena *a = j->ctx->arena;
    const struct settings *s = j->ctx->settings;
    struct site site;
    if (!cmd_site(j->ctx, &site, e))
        return false;
    const struct proof_spec spec = {
        .server = &site.server,
        .maintenance_database = s->maintenance_database,
        .pg_bin = s->pg_bin,
        .backup = &j->proven,
        .run = arena_printf(a, "%s_%s", clock_stamp(a), random_hex(a, 4)),
        .jobs = s->jobs,
        .progress = j->progress,
    };
    log_info("restoring backup %s into a side database", j->proven.id);
    return restore_prove(a, &spec, &j->proof, e) &&
           verify_verdict(a, &j->backup, j->proof.damages, j->proof.damage_count, e);
}

/* --- what came of it ----------------------------------------------------------------------------
 */

static void note(struct job *j, const struct stored *s, const char *result)
{
    struct err e = {0};
    if (!store_add_verification(j->ctx->arena, s, level_of(j), result, &e))
        log_err_as(LOG_WARNING, &e);
}

static void note_result(struct job *j, bool ok, const struct err *e)
{
    if (!ok && !proof_tells_of_backup(e))
        return;
    note(j, &j->backup, ok ? "ok" : e->message);
    if (ok && strcmp(j->proven.id, j->backup.id) != 0)
        note(j, &j->proven, "ok");
}

static void put_damages(struct json *list, const struct verify_damage *damages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct json *damage = json_push_object(list);
        json_put(damage, "file", damages[i].file);
        json_put(damage, "schema", damages[i].schema);
        json_put(damage, "table", damages[i].table);
        json_put(damage, "what", damages[i].what);
    }
}

static void print_json(struct job *j, bool ok, const struct err *e)
{
    struct json *doc = json_object();
    json_put(doc, "backup", j->backup.id);
    json_put(doc, "level", level_of(j));
    json_put(doc, "result", ok ? "ok" : "failed");
    json_put(doc, "proven_by", j->restores ? j->proven.id : NULL);
    json_put_int(doc, "files", j->files.files);
    json_put_int(doc, "bytes", j->files.bytes);
    json_put_int(doc, "tables", (int64_t)j->backup.manifest.table_count);
    json_put_int(doc, "rows", manifest_rows(&j->backup.manifest));
    json_put_int(doc, "tables_by_content",
                 j->restores ? j->proof.tables_by_content : j->files.tables_by_content);
    json_put_int(doc, "large_objects", j->backup.manifest.large_objects);
    json_put_int(doc, "elapsed_ms", clock_ms() - j->began_ms);
    struct json *list = json_put_array(doc, "damages");
    put_damages(list, j->files.damages, j->files.damage_count);
    put_damages(list, j->proof.damages, j->proof.damage_count);
    json_put_err(doc, "error", ok ? &(struct err){0} : e);
    cmd_print(j->ctx, doc);
}

static void print_text(struct job *j)
{
    struct arena *a = j->ctx->arena;
    const struct manifest *m = &j->backup.manifest;
    int64_t by_content = j->restores ? j->proof.tables_by_content : j->files.tables_by_content;
    FILE *out = j->ctx->out;
    fprintf(out, "backup %s is as it was taken, by level %s (%s)\n", j->backup.id, level_of(j),
            clock_human_ms(a, clock_ms() - j->began_ms));
    fprintf(out, "  %s, %s: sizes and SHA-256\n", str_plural(a, j->files.files, "file", "files"),
            str_bytes(a, j->files.bytes));
    fprintf(out, "  %s, %s rows: %s\n", str_plural(a, (int64_t)m->table_count, "table", "tables"),
            str_count(a, manifest_rows(m)),
            j->restores ? "counted in the restored database" : "counted in the files");
    if (by_content > 0)
        fprintf(out, "  content of %s: %s\n", str_plural(a, by_content, "table", "tables"),
                j->restores ? "read back from the restored database, the same rows"
                            : "the same rows as were read");
    if (j->restores)
        fprintf(out, "  %s, %s: the same; the side database is dropped\n",
                str_plural(a, (int64_t)m->sequence_count, "sequence", "sequences"),
                str_plural(a, m->large_objects, "large object", "large objects"));
    if (strcmp(j->proven.id, j->backup.id) != 0)
        fprintf(out, "  proven by %s, which has the same data files\n", j->proven.id);
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct job j = {.ctx = ctx, .began_ms = clock_ms()};
    const char *level = "files";
    bool verbose = false;
    const struct opt opts[] = {
        {"level", OPT_TEXT, &level, "LEVEL",
         "files (default): read all of it; restore: also into a side database"},
        {"verbose", OPT_FLAG, &verbose, NULL, "a line in the log for every table"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    j.restores = strcmp(level, "restore") == 0;
    if (!j.restores && strcmp(level, "files") != 0)
        return err_set(e, ERR_USAGE, "--level is files or restore, not \"%s\"", level);
    if (!backup_find(ctx, args.items[0], &j.backup, e) || !find_proven(&j, e))
        return false;
    struct progress_line line = progress_line_new(ctx->settings, verbose);
    j.progress = progress_line_of(&line);
    bool ok = check_files(&j, e) && (!j.restores || check_restore(&j, e));
    progress_line_end(&line);
    note_result(&j, ok, e);
    if (ctx->json && (ok || proof_tells_of_backup(e)))
        print_json(&j, ok, e);
    else if (ok)
        print_text(&j);
    return ok;
}

const struct command cmd_verify = {
    .name = "verify",
    .args = "ID",
    .summary = "is a backup what was written, and does it restore?",
    .details = "ID may be \"latest\": the newest full backup of the configured database.  Level"
               " \"files\" reads\n"
               "all of it: sums, rows, NULLs and content of every table.  Level \"restore\" then"
               " restores it into\n"
               "a side database, reads every table back and compares its content, and drops that"
               " database.\n"
               "What came of it is kept with the backup: see migsafe list.  A damaged backup: 76.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
