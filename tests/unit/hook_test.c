#include "base/base.h"

#include "base/log.h"
#include "core/hook/hook.h"
#include "tap.h"
#include "tree.h"

struct place {
    struct arena *a;
    char *dir;
    struct settings s;
    struct run_report report;
    struct hook_run run;
};

static void place_init(struct place *p)
{
    *p = (struct place){.a = arena_new(), .dir = tree_new()};
    settings_defaults(p->a, &p->s);
    p->s.project = p->dir;
    p->s.state_dir = fs_join(p->a, p->dir, "state");
    p->s.hooks_dir = fs_join(p->a, p->dir, "hooks");
    tree_file(p->dir, "hooks/.keep", "");
    p->report = report_new(p->a, "20261120_194609_ab12", "deploy");
    p->run = (struct hook_run){.settings = &p->s, .report = &p->report};
    log_init(LOG_ERROR, stderr);
}

static void place_release(struct place *p)
{
    log_init(LOG_INFO, stderr);
    tree_remove(p->dir);
    arena_free(p->a);
}

/* What the hooks have written to `out` in the project's folder; "" when there is no such file. */
static const char *written(struct place *p)
{
    char *text = NULL;
    struct err e = {0};
    return fs_read(p->a, fs_join(p->a, p->dir, "out"), 1 << 20, &text, NULL, &e) ? text : "";
}

static bool says(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        return true;
    printf("# no \"%s\" in \"%s\"\n", part, text);
    return false;
}

static void hook(struct place *p, const char *file, const char *script)
{
    tree_program(p->dir, arena_printf(p->a, "hooks/%s", file),
                 arena_printf(p->a, "#!/bin/sh\n%s\n", script));
}

/* The journal's last record, of which a run of one point has written one for each hook. */
static const struct json *last_record(struct place *p, struct journal_run *r)
{
    struct err e = {0};
    if (!journal_read(p->a, p->s.state_dir, p->report.run, r, &e))
        return NULL;
    return json_at(r->records, json_count(r->records) - 1);
}

TEST(without_a_folder_there_are_none)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    CHECK(hooks_check(p.a, &p.s, &e) && hooks_run(p.a, &p.run, HOOK_END, &e));
    p.s.hooks_dir = NULL;
    CHECK(hooks_check(p.a, &p.s, &e) && hooks_run(p.a, &p.run, HOOK_PRE_BACKUP, &e));
    p.s.hooks_dir = "/nonexistent/hooks";
    CHECK(!hooks_check(p.a, &p.s, &e) && e.kind == ERR_CONFIG);
    CHECK(says(e.message, "/nonexistent/hooks"));
    place_release(&p);
}

TEST(they_run_in_the_order_of_their_names_in_the_project)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    hook(&p, "pre-backup/20-b", "echo b >>out");
    hook(&p, "pre-backup/100", "echo 100 >>out");
    hook(&p, "pre-backup/Z", "echo Z $# \"$(pwd)\" >>out");
    hook(&p, "pre-backup/a", "echo a; cat >>out");
    hook(&p, "post-backup/x", "echo other point >>out");
    CHECK(hooks_check(p.a, &p.s, &e) && hooks_run(p.a, &p.run, HOOK_PRE_BACKUP, &e));
    CHECK_STR(written(&p), arena_printf(p.a, "100\nb\nZ 0 %s\n", p.dir));
    place_release(&p);
}

TEST(some_names_are_left_alone)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    const char *const names[] = {".x", "x~", "x.sample", "README", "README.md"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        hook(&p, arena_printf(p.a, "end/%s", names[i]), "echo no >>out");
        tree_file(p.dir, arena_printf(p.a, "hooks/post-backup/%s", names[i]), "");
    }
    hook(&p, "git/pre-commit", "echo no >>out");
    tree_file(p.dir, "hooks/lib/common.sh", "");
    tree_file(p.dir, "hooks/notes.txt", "");
    CHECK(hooks_check(p.a, &p.s, &e) && hooks_run(p.a, &p.run, HOOK_END, &e));
    CHECK_STR(written(&p), "");
    place_release(&p);
}

TEST(what_cannot_be_run_is_named)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    tree_file(p.dir, "hooks/post-migrate/10-x", "#!/bin/sh\n");
    CHECK(!hooks_check(p.a, &p.s, &e) && e.kind == ERR_PREFLIGHT);
    CHECK(says(e.message, "post-migrate/10-x") && says(e.hint, "chmod +x"));
    CHECK(!hooks_run(p.a, &p.run, HOOK_POST_MIGRATE, &e) && e.kind == ERR_PREFLIGHT);
    CHECK(chmod(fs_join(p.a, p.dir, "hooks/post-migrate/10-x"), 0755) == 0);
    CHECK(hooks_check(p.a, &p.s, &e));
    tree_link(p.dir, "hooks/end/link", "../post-migrate/10-x");
    CHECK(hooks_check(p.a, &p.s, &e) && hooks_run(p.a, &p.run, HOOK_END, &e));
    tree_link(p.dir, "hooks/end/nowhere", "gone");
    CHECK(!hooks_check(p.a, &p.s, &e) && says(e.message, "end/nowhere"));
    place_release(&p);
}

TEST(a_folder_in_a_point_is_refused)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    hook(&p, "end/sub/x", "true");
    CHECK(!hooks_check(p.a, &p.s, &e) && e.kind == ERR_PREFLIGHT && says(e.message, "end/sub"));
    place_release(&p);
}

TEST(what_looks_like_a_point_and_is_none_is_refused)
{
    static const struct {
        const char *file, *message, *hint;
    } cases[] = {
        {"pre_backup/x", "pre_backup", "\"pre-backup\""},
        {"postrestore/x", "postrestore", "\"post-restore\""},
        {"pre-everything/x", "pre-everything", "Points are: pre-backup, "},
        {"end.sh", "end.sh", "\"end\""},
        {"post-migrate", "post-migrate", "in a folder"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct place p;
        struct err e = {0};
        place_init(&p);
        hook(&p, cases[i].file, "true");
        CHECK(!hooks_check(p.a, &p.s, &e) && e.kind == ERR_PREFLIGHT);
        CHECK(says(e.message, cases[i].message) && says(e.hint, cases[i].hint));
        place_release(&p);
    }
}

TEST(a_failing_one_before_a_point_stops_the_others)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    hook(&p, "pre-migrate/1", "echo one >>out");
    hook(&p, "pre-migrate/2", "echo said; echo 'and why' >&2; echo; exit 3");
    hook(&p, "pre-migrate/3", "echo three >>out");
    CHECK(!hooks_run(p.a, &p.run, HOOK_PRE_MIGRATE, &e) && e.kind == ERR_CHILD);
    CHECK_STR(e.message, "hook \"pre-migrate/2\" failed with exit status 3");
    CHECK_STR(e.detail, "Its last line: and why");
    CHECK_STR(written(&p), "one\n");
    place_release(&p);
}

TEST(a_failing_one_after_a_point_does_not)
{
    const enum hook_point points[] = {HOOK_POST_BACKUP, HOOK_POST_RESTORE, HOOK_END};
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        struct place p;
        struct err e = {0};
        place_init(&p);
        hook(&p, arena_printf(p.a, "%s/1", hook_point_name(points[i])), "kill -9 $$");
        hook(&p, arena_printf(p.a, "%s/2", hook_point_name(points[i])), "exit 1");
        hook(&p, arena_printf(p.a, "%s/3", hook_point_name(points[i])), "echo three >>out");
        CHECK(!hooks_run(p.a, &p.run, points[i], &e) && e.kind == ERR_CHILD);
        CHECK(says(e.message, "/1\" was ended by signal 9") && e.detail[0] == '\0');
        CHECK_STR(written(&p), "three\n");
        place_release(&p);
    }
}

TEST(one_that_hangs_is_ended_with_all_that_it_started)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    p.s.hook_timeout_ms = 300;
    hook(&p, "pre-backup/hang", "echo begun\n(sleep 3; echo late >>out) &\nsleep 600");
    CHECK(!hooks_run(p.a, &p.run, HOOK_PRE_BACKUP, &e) && e.kind == ERR_TIMEOUT);
    CHECK_STR(e.message,
              "hook \"pre-backup/hang\" ran longer than hook-timeout (300 ms) and was ended");
    CHECK_STR(e.detail, "Its last line: begun");
    CHECK(usleep(3500000) == 0);
    CHECK_STR(written(&p), "");
    place_release(&p);
}

TEST(one_that_cannot_be_started_has_failed)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    tree_program(p.dir, "hooks/pre-backup/x", "#!/nonexistent/interpreter\n");
    CHECK(!hooks_run(p.a, &p.run, HOOK_PRE_BACKUP, &e) && e.kind == ERR_CHILD);
    CHECK(says(e.message, "pre-backup/x") && says(e.message, "No such file"));
    place_release(&p);
}

TEST(what_it_is_told)
{
    struct place p;
    struct err e = {0};
    place_init(&p);
    setenv("OF_THE_CALLER", "kept", 1);
    setenv("MIGSAFE_RUN_OUTER", "not handed on", 1);
    p.report.database = "app";
    p.report.host = "db.example.org";
    report_add_migration(&p.report, "1_first", "x");
    report_add_migration(&p.report, "2_second", "y");
    hook(&p, "pre-backup/x", "env | grep -e '^MIGSAFE_RUN' -e OF_THE -e ^2_ | sort >out");
    p.run.reason = "pre-deploy";
    CHECK(hooks_run(p.a, &p.run, HOOK_PRE_BACKUP, &e));
    CHECK_STR(written(&p), arena_printf(p.a,
                                        "2_second\nMIGSAFE_RUN_COMMAND=deploy\n"
                                        "MIGSAFE_RUN_DATABASE=app\n"
                                        "MIGSAFE_RUN_HOST=db.example.org\n"
                                        "MIGSAFE_RUN_ID=20261120_194609_ab12\n"
                                        "MIGSAFE_RUN_MIGRATIONS=1_first\n"
                                        "MIGSAFE_RUN_POINT=pre-backup\n"
                                        "MIGSAFE_RUN_PROJECT=%s\n"
                                        "MIGSAFE_RUN_REASON=pre-deploy\n"
                                        "MIGSAFE_RUN_STATE_DIR=%s\n"
                                        "OF_THE_CALLER=kept\n",
                                        p.dir, p.s.state_dir));
    unsetenv("OF_THE_CALLER");
    unsetenv("MIGSAFE_RUN_OUTER");
    place_release(&p);
}

static const char *told_of_backups(struct place *p)
{
    struct err e = {0};
    CHECK(hooks_run(p->a, &p->run, HOOK_POST_BACKUP, &e));
    return written(p);
}

TEST(which_backup_it_is_told)
{
    struct place p;
    place_init(&p);
    hook(&p, "post-backup/x",
         "echo \"$MIGSAFE_RUN_BACKUP_ID,${MIGSAFE_RUN_BACKUP-none},"
         "${MIGSAFE_RUN_DATA_BACKUP-none}\" >out");
    report_add_backup(&p.report,
                      &(struct report_backup){.id = "d0", .kind = "data", .path = "/d0"});
    CHECK_STR(told_of_backups(&p), "d0,none,/d0\n");
    report_add_backup(&p.report,
                      &(struct report_backup){.id = "f1", .kind = "full", .path = "/f1"});
    report_add_backup(&p.report,
                      &(struct report_backup){.id = "d1", .kind = "data", .path = "/d1"});
    CHECK_STR(told_of_backups(&p), "f1,/f1,/d1\n");
    report_add_backup(&p.report,
                      &(struct report_backup){.id = "f2", .kind = "full", .path = "/f2"});
    CHECK_STR(told_of_backups(&p), "f2,/f2,none\n");
    place_release(&p);
}

TEST(what_it_is_told_at_the_end)
{
    struct place p;
    struct err e = {0}, why = {0};
    place_init(&p);
    hook(&p, "post-restore/x",
         "echo \"$MIGSAFE_RUN_RESTORED,${MIGSAFE_RUN_KEPT_DATABASE-},${MIGSAFE_RUN_VERDICT-none}\" "
         ">>out");
    hook(&p, "end/x",
         "echo \"$MIGSAFE_RUN_VERDICT,$MIGSAFE_RUN_EXIT,$MIGSAFE_RUN_ERROR,${MIGSAFE_RUN_RESTORED-"
         "unset},$(test -f \"$MIGSAFE_RUN_REPORT\" && basename \"$MIGSAFE_RUN_REPORT\")\" >>out");
    CHECK(hooks_run(p.a, &p.run, HOOK_POST_RESTORE, &e));
    p.report.kept_database = "app__kept";
    CHECK(hooks_run(p.a, &p.run, HOOK_POST_RESTORE, &e));
    err_set(&why, ERR_RESTORED, "it was so");
    report_end(&p.report, "restored", 20, &why);
    CHECK(report_write(p.a, p.s.state_dir, &p.report, &e));
    CHECK(hooks_run(p.a, &p.run, HOOK_END, &e));
    CHECK_STR(written(&p), "no,,none\nyes,app__kept,none\n"
                           "restored,20,it was so,unset,report.json\n");
    place_release(&p);
}

TEST(what_it_prints_is_journaled_in_order_without_secrets)
{
    struct place p;
    struct err e = {0};
    struct journal_run r = {0};
    place_init(&p);
    log_secret("s3cr3tpassword");
    hook(&p, "pre-backup/10-x",
         "echo one; echo two >&2; echo 'to s3cr3tpassword@db'; printf 'b\\377d\\033[0m'; exit 4");
    p.run.journal = journal_open(p.s.state_dir, p.report.run, "deploy", &e);
    CHECK(p.run.journal != NULL && !hooks_run(p.a, &p.run, HOOK_PRE_BACKUP, &e));
    CHECK_STR(e.detail, "Its last line: b?d?[0m");
    const struct json *record = last_record(&p, &r), *data = json_find(record, "data");
    CHECK_STR(json_str(record, "step", ""), "hook");
    CHECK_STR(json_str(record, "event", ""), "failed");
    CHECK_STR(json_str(data, "point", ""), "pre-backup");
    CHECK_STR(json_str(data, "file", ""), "10-x");
    CHECK(json_int(data, "exit_status", -1) == 4 && json_int(data, "elapsed_ms", -1) >= 0);
    CHECK_STR(json_str(data, "output", ""), "one\ntwo\nto ***@db\nb?d?[0m\n");
    json_free(r.records);
    journal_close(p.run.journal);
    place_release(&p);
}

TEST(long_output_is_cut_in_its_middle)
{
    struct place p;
    struct err e = {0};
    struct journal_run r = {0};
    place_init(&p);
    hook(&p, "end/x",
         "echo first; i=0; while [ $i -lt 3000 ]; do echo \"äöü line $i\"; "
         "i=$((i + 1)); done; echo last");
    p.run.journal = journal_open(p.s.state_dir, p.report.run, "deploy", &e);
    CHECK(p.run.journal != NULL && hooks_run(p.a, &p.run, HOOK_END, &e));
    const struct json *record = last_record(&p, &r);
    const char *output = json_str(json_find(record, "data"), "output", "");
    CHECK_STR(json_str(record, "event", ""), "note");
    CHECK(strlen(output) > 3500 && strlen(output) < 4200);
    CHECK(str_starts(output, "first\n") && str_ends(output, "line 2999\nlast\n"));
    CHECK(says(output, " bytes are left out]\n") && strchr(output, '?') == NULL);
    json_free(r.records);
    journal_close(p.run.journal);
    place_release(&p);
}
