#include "core/report/outline.h"

char *report_text(struct arena *a, const struct run_report *r)
{
    struct outline o = report_outline(a, r);
    struct str s = str_on(a);
    str_printf(&s, "%s\n%s\n", o.title, o.when);
    for (size_t i = 0; i < o.count; i++) {
        str_printf(&s, "\n%s:\n", o.sections[i].heading);
        for (size_t k = 0; k < o.sections[i].lines.count; k++)
            str_printf(&s, "  %s\n", o.sections[i].lines.items[k]);
    }
    if (o.next != NULL)
        str_printf(&s, "\nnext: %s\n", o.next);
    return s.text;
}

/* Text that means itself in Markdown and HTML. */
static void add_plain(struct str *s, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            str_add(s, "&lt;");
        else if (*text == '&')
            str_add(s, "&amp;");
        else if (*text == '\n' || *text == '\r')
            str_add(s, " ");
        else {
            if (strchr("\\`*_[]|#", *text) != NULL)
                str_add(s, "\\");
            str_add_n(s, text, 1);
        }
    }
}

static void add_item(struct str *s, const char *line)
{
    bool below = str_starts(line, "  ");
    str_add(s, below ? "  - " : "- ");
    add_plain(s, below ? line + 2 : line);
    str_add(s, "\n");
}

char *report_markdown(struct arena *a, const struct run_report *r)
{
    struct outline o = report_outline(a, r);
    struct str s = str_on(a);
    str_add(&s, o.failed ? "## :x: " : "## :white_check_mark: ");
    add_plain(&s, o.title);
    str_add(&s, "\n\n");
    add_plain(&s, o.when);
    str_add(&s, "\n");
    if (o.next != NULL) {
        str_add(&s, "\n**Next:** ");
        add_plain(&s, o.next);
        str_add(&s, "\n");
    }
    for (size_t i = 0; i < o.count; i++) {
        str_add(&s, "\n### ");
        add_plain(&s, o.sections[i].heading);
        str_add(&s, "\n\n");
        for (size_t k = 0; k < o.sections[i].lines.count; k++)
            add_item(&s, o.sections[i].lines.items[k]);
    }
    return s.text;
}
