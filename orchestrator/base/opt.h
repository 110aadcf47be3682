/*
 * opt.h - the options of a command: a const table that points at its locals.
 *
 *     bool json = false;
 *     const char *into = NULL;
 *     const struct opt opts[] = {
 *         {"json", OPT_FLAG, &json, NULL, "one JSON document on stdout"},
 *         {"into", OPT_TEXT, &into, "NAME", "restore into a new database"},
 *     };
 *     if (!opt_parse(a, opts, ARRAY_LEN(opts), &args, other, context, e))
 *
 * Long options only: --name, --name VALUE, --name=VALUE; "--" ends them.
 * Options and operands may be mixed.  An unknown option goes to `other` (the
 * settings); what nobody knows is ERR_USAGE.
 */
#ifndef MIGSAFE_BASE_OPT_H
#define MIGSAFE_BASE_OPT_H

#include "base/str.h"

enum opt_type {
    OPT_FLAG, /* bool * */
    OPT_TEXT, /* const char ** */
    OPT_LIST, /* struct strlist *: may be given several times */
};

struct opt {
    const char *name; /* without the dashes */
    enum opt_type type;
    void *target;
    const char *value; /* what the help calls its value; NULL for a flag */
    const char *help;
};

/* What a caller does with options its table lacks. */
enum opt_answer { OPT_UNKNOWN, OPT_TAKEN, OPT_FAILED, OPT_WANTS_VALUE };
/* Asked with value NULL first for "--name" without "=": answers OPT_WANTS_VALUE to get the next
 * word. */
typedef enum opt_answer opt_other_fn(void *context, const char *name, const char *value,
                                     struct err *e);

/* args: in, the words after the command's name; out, the operands. */
MUST_CHECK bool opt_parse(const struct opt *opts, size_t count, struct strlist *args,
                          opt_other_fn *other, void *context, struct err *e);
void opt_help(const struct opt *opts, size_t count, FILE *to);

#endif
