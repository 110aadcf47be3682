#include "core/prisma/migrations.h"

#include "base/fs.h"
#include "core/prisma/checksum.h"

#include <ctype.h>

enum { SCRIPT_MAX = 256 * 1024 * 1024 };

/* ICU's root collation of the ASCII characters that are neither digit nor letter.  What is missing
 * (control characters) does not count at all. */
static const char punctuation[] = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

static int weight(unsigned char c)
{
    if (c >= 0x80)
        return 0x200 + c;
    if (isdigit(c) || isalpha(c))
        return 0x100 + tolower(c);
    const char *at = c == '\0' ? NULL : strchr(punctuation, c);
    return at == NULL ? 0 : 1 + (int)(at - punctuation);
}

static const char *next_that_counts(const char *p)
{
    while (*p != '\0' && weight((unsigned char)*p) == 0)
        p++;
    return p;
}

int migration_order(const char *a, const char *b)
{
    const char *p = next_that_counts(a), *q = next_that_counts(b);
    int by_case = 0;
    for (; *p != '\0' && *q != '\0'; p = next_that_counts(p + 1), q = next_that_counts(q + 1)) {
        int difference = weight((unsigned char)*p) - weight((unsigned char)*q);
        if (difference != 0)
            return difference;
        if (by_case == 0 && *p != *q)
            by_case = isupper((unsigned char)*p) ? 1 : -1;
    }
    if (*p != *q)
        return *p == '\0' ? -1 : 1;
    return by_case != 0 ? by_case : strcmp(a, b);
}

static int by_name(const void *a, const void *b)
{
    return migration_order(*(const char *const *)a, *(const char *const *)b);
}

static bool read_one(struct arena *a, const char *folder, const char *name, struct migration *m,
                     struct err *e)
{
    *m = (struct migration){.name = name,
                            .path = fs_join(a, fs_join(a, folder, name), "migration.sql")};
    if (!fs_is_file(m->path))
        return true;
    char *sql;
    if (!fs_read(a, m->path, SCRIPT_MAX, &sql, &m->length, e))
        return false;
    m->sql = sql;
    m->checksum = script_checksum(a, sql, m->length);
    return true;
}

bool migrations_read(struct arena *a, const char *folder, struct migration_list *list,
                     struct err *e)
{
    struct strlist names;
    if (!fs_list(a, folder, FS_DIRS, &names, e))
        return err_wrap(e, "could not read the migrations folder");
    qsort(names.items, names.count, sizeof(*names.items), by_name);
    list->items = arena_array(a, names.count, sizeof(*list->items));
    list->count = names.count;
    for (size_t i = 0; i < names.count; i++)
        if (!read_one(a, folder, names.items[i], &list->items[i], e))
            return false;
    return true;
}

const struct migration *migration_find(const struct migration_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

bool migration_matches(const struct migration *m, const char *checksum)
{
    if (m->sql == NULL)
        return false;
    return strcmp(m->checksum, checksum) == 0 ||
           script_checksum_matches(m->sql, m->length, checksum);
}
