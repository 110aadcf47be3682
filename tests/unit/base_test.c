#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "base/stop.h"
#include "base/str.h"

#include "tap.h"

#include <signal.h>
#include <unistd.h>

TEST(arena_copies_and_aligns)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(arena_printf(a, "%s-%d", "x", 7), "x-7");
    char *p = arena_alloc(a, 3);
    CHECK((uintptr_t)p % _Alignof(max_align_t) == 0);
    CHECK(arena_alloc(a, 1 << 20) != NULL);
}

TEST(err_wrap_tells_the_way_up)
{
    struct err e = {0};
    err_set(&e, ERR_QUERY, "relation \"%s\" does not exist", "t");
    CHECK(!err_wrap(&e, "could not read size of table \"%s\"", "t"));
    CHECK_STR(e.message, "could not read size of table \"t\": relation \"t\" does not exist");
    CHECK(err_http_status(e.kind) == 500);
    CHECK_STR(err_kind_name(ERR_UNSAFE), "unsafe");
}

TEST(str_grows_and_counts)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str s = str_on(a);
    for (int i = 0; i < 1000; i++)
        str_printf(&s, "%d,", i);
    CHECK(s.length == strlen(s.text) && str_ends(s.text, "998,999,"));
    CHECK_STR(str_count(a, 1234567), "1 234 567");
    CHECK_STR(str_count(a, -123), "-123");
    CHECK_STR(str_count(a, -1234), "-1 234");
    CHECK_STR(str_bytes(a, 512), "512 bytes");
    CHECK_STR(str_bytes(a, 5 << 20), "5.0 MB");
    CHECK_STR(str_plural(a, 1, "table", "tables"), "1 table");
    struct strlist l = strlist_on(a);
    for (int i = 0; i < 50; i++)
        strlist_printf(&l, "%d", i);
    CHECK(l.count == 50 && l.items[50] == NULL && strlist_has(&l, "49"));
}

TEST(clock_stamps_are_read_back)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK(clock_parse_rfc3339("2026-11-20T19:46:09.123Z") == 1795203969);
    CHECK(clock_parse_rfc3339("yesterday") == -1 && clock_parse_rfc3339(NULL) == -1);
    CHECK(llabs(clock_parse_rfc3339(clock_rfc3339(a)) - (long long)time(NULL)) <= 1);
    CHECK(strlen(clock_stamp(a)) == 15);
    CHECK_STR(clock_human_ms(a, 3210), "3.2 s");
}

TEST(proc_keeps_output_and_status)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct proc_spec spec = {
        .argv = (const char *const[]){"sh", "-c",
                                      "echo $GREETING$PGFOO$PGBAR; echo bad >&2; exit 3", NULL},
        .env = (const char *const[]){"PG*", "GREETING=hello", "PGBAR=!", NULL},
        .timeout_ms = 5000,
        .out_max = 64,
    };
    setenv("PGFOO", "inherited", 1);
    CHECK(proc_run(a, &spec, &r, &e));
    CHECK(r.exit_status == 3);
    CHECK_STR(r.out, "hello!\n");
    CHECK_STR(r.err, "bad\n");
}

TEST(proc_cuts_long_output)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct proc_spec spec = {
        .argv = (const char *const[]){"sh", "-c", "yes | head -c 200000", NULL},
        .out_max = 10,
    };
    CHECK(proc_run(a, &spec, &r, &e));
    CHECK(strlen(r.out) == 10 && r.exit_status == 0);
}

static void note_line(void *context, const char *line)
{
    struct str *lines = context;
    str_printf(lines, "<%s>", strlen(line) > 100 ? "long" : line);
}

TEST(proc_tells_lines_as_they_come)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct str lines = str_on(a);
    struct proc_spec spec = {
        .argv = (const char *const[]){"sh", "-c",
                                      "echo one; echo two >&2; echo; head -c 9000 /dev/zero | tr "
                                      "'\\0' x; echo; printf end",
                                      NULL},
        .out_max = 8,
        .together = true,
        .line = note_line,
        .context = &lines,
    };
    CHECK(proc_run(a, &spec, &r, &e));
    CHECK_STR(lines.text, "<one><two><><long><long><end>");
    CHECK_STR(r.out, "one\ntwo\n");
    CHECK_STR(r.err, "");
}

TEST(proc_stops_its_whole_group_at_the_deadline)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct proc_spec spec = {
        .argv = (const char *const[]){"sh", "-c", "sleep 61 & echo $!; wait", NULL},
        .timeout_ms = 300,
        .out_max = 10,
    };
    CHECK(!proc_run(a, &spec, &r, &e));
    CHECK(e.kind == ERR_TIMEOUT && r.signal != 0);
    CHECK(proc_start_time((pid_t)strtol(r.out, NULL, 10)) == 0 || usleep(200000) == 0);
    CHECK(proc_start_time((pid_t)strtol(r.out, NULL, 10)) == 0);
}

static bool refuse(void *context, pid_t pid, struct err *e)
{
    *(pid_t *)context = pid;
    return err_set(e, ERR_SYSTEM, "disk full");
}

TEST(proc_is_not_started_when_it_cannot_be_journaled)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    pid_t pid = 0;
    struct proc_spec spec = {
        .argv = (const char *const[]){"sh", "-c", "echo started", NULL},
        .started = refuse,
        .context = &pid,
        .out_max = 10,
    };
    CHECK(!proc_run(a, &spec, &r, &e));
    CHECK_STR(r.out, "");
    CHECK(pid != 0 && e.kind == ERR_SYSTEM);
}

TEST(proc_names_what_it_could_not_run)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result r;
    struct proc_spec spec = {.argv = (const char *const[]){"/nonexistent/tool", NULL}};
    CHECK(!proc_run(a, &spec, &r, &e));
    CHECK_STR(e.message, "could not run \"/nonexistent/tool\": No such file or directory");
    spec.argv = (const char *const[]){"no-such-tool-anywhere", NULL};
    CHECK(!proc_run(a, &spec, &r, &e) && e.kind == ERR_SYSTEM);
}

TEST(fs_writes_whole_files_or_none)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    char dir[] = "/tmp/ms-fs.XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    const char *deep = fs_join(a, dir, "a/b"), *file = fs_join(a, deep, "f");
    char *text;
    struct strlist names;
    int64_t bytes;
    CHECK(fs_mkdirs(a, deep, &e) && fs_write_atomic(a, file, "hello", 5, &e));
    CHECK(fs_read(a, file, 100, &text, NULL, &e));
    CHECK_STR(text, "hello");
    CHECK(!fs_read(a, file, 4, &text, NULL, &e) && e.kind == ERR_SYSTEM);
    CHECK(!fs_read(a, fs_join(a, dir, "none"), 4, &text, NULL, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(fs_list(a, deep, FS_FILES, &names, &e) && names.count == 1);
    CHECK(fs_tree_bytes(a, dir, &bytes, &e) && bytes == 5);
    CHECK(!fs_mkdirs(a, fs_join(a, file, "below"), &e) && e.kind == ERR_SYSTEM);
    CHECK(fs_remove_tree(a, dir, &e) && !fs_exists(dir) && fs_remove_tree(a, dir, &e));
}

TEST(log_hides_secrets)
{
    char clean[64], *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    log_init(LOG_INFO, to);
    log_secret("pa$$word");
    log_info("url postgres://u:pa$$word@h/d");
    fflush(to);
    CHECK_STR(text, "migsafe: info: url postgres://u:***@h/d\n");
    log_redact("pa$$word!", clean, sizeof(clean));
    CHECK_STR(clean, "***!");
    log_init(LOG_INFO, NULL);
    fclose(to);
    free(text);
}

static enum opt_answer knows_attempts(void *context, const char *name, const char *value,
                                      struct err *e UNUSED)
{
    if (strcmp(name, "attempts") != 0)
        return OPT_UNKNOWN;
    if (value == NULL)
        return OPT_WANTS_VALUE;
    *(const char **)context = value;
    return OPT_TAKEN;
}

static bool parse(struct arena *a, const char *line, struct strlist *args, bool *json,
                  const char **into, const char **attempts, struct err *e)
{
    const struct opt opts[] = {{"json", OPT_FLAG, json, NULL, ""},
                               {"into", OPT_TEXT, (void *)into, "NAME", ""}};
    *args = strlist_on(a);
    char *copy = arena_strdup(a, line), *save = NULL;
    for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
        strlist_add(args, w);
    return opt_parse(opts, ARRAY_LEN(opts), args, knows_attempts, (void *)attempts, e);
}

TEST(opt_reads_options_anywhere)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct strlist args;
    bool json = false;
    const char *into = NULL, *attempts = NULL;
    CHECK(parse(a, "id --json --into=x --attempts 2 -- --y", &args, &json, &into, &attempts, &e));
    CHECK(json && args.count == 2);
    CHECK_STR(into, "x");
    CHECK_STR(attempts, "2");
    CHECK_STR(args.items[1], "--y");
    static const char *const bad[] = {"--into", "--json=1", "--nope", "-x", "--attempts"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!parse(a, bad[i], &args, &json, &into, &attempts, &e) && e.kind == ERR_USAGE);
}

TEST(stop_is_kept_behind_a_shield)
{
    struct err e = {0};
    stop_install();
    stop_shield(true);
    raise(SIGTERM);
    CHECK(!stop_requested() && stop_check(&e));
    stop_shield(false);
    CHECK(stop_requested() && !stop_check(&e) && e.kind == ERR_CANCELLED);
    CHECK(!stop_sleep_ms(60000, &e));
}

TEST(str_printable_takes_out_what_no_log_should_hold)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"plain\ttext\n", "plain\ttext\n"},
        {"\033[1mx\r\177", "?[1mx??"},
        {"\303\244 \342\202\254 \360\237\220\230", "\303\244 \342\202\254 \360\237\220\230"},
        {"\377\303", "??"},                  /* no UTF-8; cut */
        {"\300\200 \340\200\200", "?? ???"}, /* overlong */
        {"\355\240\200", "???"},             /* a surrogate */
        {"\364\220\200\200", "????"},        /* past the last character */
    };
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(str_printable(a, cases[i].text), cases[i].want);
}
