#include "base/fs.h"
#include "core/backup/toc.h"
#include "core/backup/verifying.h"
#include "ext/pg.h"

enum { SUMS_MAX_BYTES = 256 << 20 };

/* The first column with other than its values; "" when all agree. */
static const char *compare_columns(struct arena *a, const struct checked *c)
{
    size_t field = 0;
    for (size_t i = 0; i < c->table->column_count; i++) {
        const struct manifest_column *column = &c->table->columns[i];
        if (column->generated)
            continue;
        int64_t values = c->sum.rows - c->sum.nulls[field++];
        if (values != column->values)
            return arena_printf(a, "%s holds %lld values in column \"%s\", %lld were counted",
                                c->label, (long long)values, column->name,
                                (long long)column->values);
    }
    return NULL;
}

static const char *compare(struct arena *a, struct verify_result *r, const struct checked *c)
{
    const struct manifest_table *t = c->table;
    const char *content = arena_printf(a, "%016llx", (unsigned long long)c->sum.content);
    if (c->sum.rows != t->rows)
        return arena_printf(a, "%s holds %lld rows, %lld were counted", c->label,
                            (long long)c->sum.rows, (long long)t->rows);
    const char *columns = c->sum.odd_width ? NULL : compare_columns(a, c);
    if (columns != NULL)
        return columns;
    if (t->content == NULL)
        return NULL;
    r->tables_by_content++;
    return strcmp(content, t->content) == 0
               ? NULL
               : arena_printf(a,
                              "%s holds other rows than were read: its content sum is %s, not %s",
                              c->label, content, t->content);
}

static void add_damage(struct verify *v, const char *file, const struct manifest_table *t,
                       const char *what)
{
    struct verify_result *r = v->result;
    r->damages[r->damage_count++] = (struct verify_damage){.file = file,
                                                           .schema = t == NULL ? NULL : t->schema,
                                                           .table = t == NULL ? NULL : t->name,
                                                           .what = what};
}

static const struct manifest_file *file_named(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->file_count; i++)
        if (strcmp(m->files[i].name, name) == 0)
            return &m->files[i];
    return NULL;
}

/* Of one file only one damage counts: others follow from it. */
static const char *damage_of(const struct checked *c)
{
    return c->sum_damage != NULL ? c->sum_damage : c->text_damage;
}

static void judge_files(struct verify *v)
{
    for (size_t i = 0; i < v->file_count; i++) {
        struct checked *c = &v->files[i];
        v->result->files++;
        v->result->bytes += c->file->bytes;
        v->result->text_bytes += c->sum.bytes;
        v->result->rows += c->sum.rows;
        v->result->tables += c->table != NULL;
        if (damage_of(c) == NULL && c->table != NULL)
            c->text_damage = compare(v->arena, v->result, c);
        if (damage_of(c) != NULL)
            add_damage(v, c->file->name, c->table, damage_of(c));
    }
}

/* A table of the manifest whose rows are in no file, or in one that nobody has summed. */
static void judge_tables(struct verify *v)
{
    const struct manifest *m = &v->spec->backup->manifest;
    struct arena *a = v->arena;
    size_t owned = 0, with_file = 0;
    for (size_t i = 0; i < v->file_count; i++)
        owned += v->files[i].table != NULL;
    for (size_t i = 0; i < m->table_count; i++) {
        const struct manifest_table *t = &m->tables[i];
        with_file += t->file != NULL;
        if (t->file == NULL && t->rows > 0)
            add_damage(v, NULL, t,
                       arena_printf(a, "the %lld rows of table %s are in no file",
                                    (long long)t->rows, pg_ident2(a, t->schema, t->name)));
    }
    if (owned == with_file + m->configuration_count)
        return;
    for (size_t i = 0; i < m->table_count; i++) {
        const struct manifest_table *t = &m->tables[i];
        if (t->file != NULL && file_named(m, t->file) == NULL)
            add_damage(v, t->file, t,
                       arena_printf(a, "%s is not among the files of the manifest",
                                    store_file_label(a, t->file, t)));
    }
}

/* toc.dat of a full backup, and the lists of large objects; their sums have been judged. */
static bool judge_lists(struct verify *v, struct err *e)
{
    const struct stored *s = v->spec->backup;
    struct arena *a = v->arena;
    struct toc toc;
    int64_t large_objects = 0;
    for (size_t i = 0; i < v->file_count; i++) {
        const char *name = v->files[i].file->name;
        char *text;
        if (!str_starts(name, "blobs") || !str_ends(name, ".toc") ||
            damage_of(&v->files[i]) != NULL)
            continue;
        if (!fs_read(a, fs_join(a, s->folder, name), SUMS_MAX_BYTES, &text, NULL, e))
            return false;
        for (const char *p = text; *p != '\0'; p++)
            large_objects += *p == '\n';
    }
    if (v->result->damage_count == 0 && large_objects != s->manifest.large_objects)
        add_damage(v, NULL, NULL,
                   arena_printf(a, "%lld large objects are listed, %lld were counted",
                                (long long)large_objects, (long long)s->manifest.large_objects));
    if (strcmp(s->manifest.kind, "full") != 0)
        return true;
    if (file_named(&s->manifest, "toc.dat") == NULL)
        add_damage(v, "toc.dat", NULL, "file \"toc.dat\" is not among the files of the manifest");
    else if (!toc_read(a, s->folder, &toc, e)) {
        if (e->kind != ERR_DAMAGED && e->kind != ERR_NOT_FOUND)
            return false;
        if (v->result->damage_count == 0)
            add_damage(v, "toc.dat", NULL, arena_strdup(a, e->message));
        *e = (struct err){0};
    }
    return true;
}

static bool judge_sums(struct verify *v, struct err *e)
{
    const struct stored *s = v->spec->backup;
    bool same;
    if (!store_sums_agree(v->arena, s, &same, e))
        return false;
    if (!same)
        add_damage(v, "SHA256SUMS", NULL,
                   "file \"SHA256SUMS\" is missing, or it and the manifest disagree");
    return true;
}

bool verify_judge(struct verify *v, struct err *e)
{
    judge_files(v);
    judge_tables(v);
    return judge_lists(v, e) && judge_sums(v, e);
}
