#include "core/restore/data_scan.h"

#include "base/fs.h"
#include "base/stop.h"
#include "core/restore/data_text.h"
#include "ext/member.h"

enum { SHOWN = 8, TOLD_BYTES = 60 };

/* What is seen of one column: the first values that are strange, each with its count. */
struct column {
    struct arena *arena;
    struct data_scan *scan;
    bool is_utf8;
    size_t last_label; /* rows often have what the row before had */
    struct {
        const char *value;
        int64_t count;
    } strange[SHOWN];
    size_t strange_count;
};

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text > 0x7f)
            return false;
    return true;
}

static bool is_label(struct column *c, const char *value)
{
    const struct live_enum *labels = c->scan->labels;
    if (c->last_label < labels->label_count && strcmp(labels->labels[c->last_label], value) == 0)
        return true;
    for (size_t i = 0; i < labels->label_count; i++)
        if (strcmp(labels->labels[i], value) == 0) {
            c->last_label = i;
            return true;
        }
    return false;
}

static void see(void *context, const char *value)
{
    struct column *c = context;
    if (is_label(c, value) || (!c->is_utf8 && !is_ascii(value)))
        return;
    c->scan->strange++;
    for (size_t i = 0; i < c->strange_count; i++)
        if (strcmp(c->strange[i].value, value) == 0) {
            c->strange[i].count++;
            return;
        }
    if (c->strange_count == SHOWN)
        return;
    c->strange[c->strange_count].value = arena_strdup(c->arena, value);
    c->strange[c->strange_count++].count = 1;
}

static void tell(struct column *c)
{
    struct str s = str_on(c->arena);
    int64_t told = 0;
    for (size_t i = 0; i < c->strange_count; i++) {
        told += c->strange[i].count;
        str_item(&s, ", ",
                 arena_printf(c->arena, "%.*s (%s)", (int)TOLD_BYTES,
                              str_printable(c->arena, c->strange[i].value),
                              str_count(c->arena, c->strange[i].count)));
    }
    if (told < c->scan->strange)
        str_printf(&s, ", others (%s)", str_count(c->arena, c->scan->strange - told));
    c->scan->values = s.text;
}

static int fields_of(const struct manifest_table *t, size_t before)
{
    int count = 0;
    for (size_t i = 0; i < before; i++)
        count += !t->columns[i].generated;
    return count;
}

static bool read_file(struct arena *a, const char *folder, const struct manifest_table *t,
                      struct data_look *look, struct err *e)
{
    const struct member_range range = {
        .path = fs_join(a, folder, t->file),
        .name = arena_printf(a, "file \"%s\" of table \"%s\".\"%s\"", t->file, t->schema, t->name),
        .from = 0,
        .to = -1,
        .codec = member_codec_of(t->file)};
    const char *text;
    size_t n = 1;
    AUTO(member) struct member_reader *reader = member_open(&range, e);
    while (reader != NULL && n > 0)
        if (!stop_check(e) || !member_read(reader, &text, &n, e) ||
            (n > 0 && !data_look_text(look, text, n, e)))
            return false;
    return reader != NULL;
}

static int by_column(const void *x, const void *y)
{
    const struct data_scan *a = x, *b = y;
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

/* The columns of one table: scans[0] to scans[count - 1]. */
static bool scan_table(struct arena *a, const char *folder, bool is_utf8, struct data_scan *scans,
                       size_t count, struct err *e)
{
    const struct manifest_table *t = scans[0].table;
    struct column *columns = arena_array(a, count, sizeof(*columns));
    struct data_watch *watches = arena_array(a, count, sizeof(*watches));
    struct data_look look = {.watches = watches,
                             .watch_count = count,
                             .field_count = fields_of(t, t->column_count),
                             .value = str_on(a)};
    for (size_t i = 0; i < count; i++) {
        columns[i] = (struct column){.arena = a, .scan = &scans[i], .is_utf8 = is_utf8};
        watches[i] = (struct data_watch){
            .field = fields_of(t, scans[i].column), .see = see, .context = &columns[i]};
    }
    if (t->file == NULL || t->rows == 0)
        return true;
    if (!read_file(a, folder, t, &look, e))
        return err_wrap(e, "could not read the values of table \"%s\".\"%s\"", t->schema, t->name);
    for (size_t i = 0; i < count; i++)
        tell(&columns[i]);
    return true;
}

bool data_scan(struct arena *a, const char *folder, const struct manifest *m,
               struct data_scans *scans, struct err *e)
{
    const char *encoding = m->data_encoding != NULL ? m->data_encoding : m->database.encoding;
    bool is_utf8 = strcmp(encoding, "UTF8") == 0;
    if (scans->count > 1)
        qsort(scans->items, scans->count, sizeof(*scans->items), by_column);
    for (size_t i = 0, count; i < scans->count; i += count) {
        for (count = 1; i + count < scans->count; count++)
            if (scans->items[i + count].table != scans->items[i].table)
                break;
        if (!scan_table(a, folder, is_utf8, scans->items + i, count, e))
            return false;
    }
    return true;
}
