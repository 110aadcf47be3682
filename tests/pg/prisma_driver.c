/*
 * prisma_driver - core/prisma/deploy for tests/pg/prisma.t: each prints "key: value" lines.
 *
 *   prisma_driver deploy FOLDER URL NAME LOCK-MS LIMIT-MS   one run of Prisma there
 *   prisma_driver end URL NAME                              end its sessions in URL's database
 *   prisma_driver lock URL WAIT-MS                          wait for Prisma's lock there
 */
#include "base/fs.h"
#include "base/stop.h"
#include "core/prisma/deploy.h"

static bool started(void *context, pid_t pid, struct err *e)
{
    if (getenv("DRIVER_REFUSES") != NULL)
        return err_set(e, ERR_SYSTEM, "the journal is full");
    FILE *f = fopen("driver.pid", "w");
    fprintf(f, "%d\n", (int)pid);
    fclose(f);
    *(bool *)context = true;
    return true;
}

static void print_outcome(const struct prisma_outcome *o)
{
    printf("class: %s\ncode: %s\nsqlstate: %s\nmigration: %s\nmessage: %s\n",
           failure_class_name(o->failure.class), o->failure.code, o->failure.sqlstate,
           o->failure.migration, o->failure.message);
    printf("exit: %d\nsignal: %d\ntimed out: %d\nlock timeout: %d\n", o->end.exit_status,
           o->end.signal, o->end.timed_out, o->failure.lock_timeout);
    printf("seen: %d\nelsewhere: %d\ntarget: %s\n", o->session_seen, o->elsewhere,
           o->printed_target ? o->printed_target : "-");
    printf("blocker: %d\n", o->blocker.pid);
    if (o->blocker.pid != 0)
        printf("blocker application: %s\nblocker query: %s\nwaiting: %s\nwaited: %lld\n",
               o->blocker.application, o->blocker.query, o->blocker.waiting_statement,
               (long long)o->blocker.waited_ms);
    printf("elapsed: %lld\n", (long long)o->elapsed_ms);
    printf("--- stdout\n%s\n--- stderr\n%s\n", o->end.out, o->end.err);
}

static bool deploy(struct arena *a, char **argv, const struct connection *live, struct pg *watch,
                   struct err *e)
{
    const char *root = fs_absolute(a, argv[2]), *config = fs_join(a, root, "prisma.config.ts");
    struct prisma_project project = {
        .root = root,
        .schema = fs_join(a, root, "prisma/schema.prisma"),
        .config = fs_is_file(config) ? config : NULL,
        .url_variables = strlist_on(a),
        .cli = (const char *const[]){"node", "node_modules/prisma/build/index.js", NULL},
    };
    bool told = false;
    strlist_add(&project.url_variables, "DATABASE_URL");
    strlist_add(&project.url_variables, "DIRECT_URL");
    struct prisma_deploy_spec spec = {
        .project = &project,
        .live = live,
        .url = argv[3],
        .application_name = argv[4],
        .options = getenv("DRIVER_OPTIONS"),
        .lock_timeout_ms = strtoll(argv[5], NULL, 10),
        .timeout_ms = strtoll(argv[6], NULL, 10),
        .watch = watch,
        .started = started,
        .context = &told,
    };
    struct prisma_outcome outcome;
    bool ok = prisma_deploy(a, &spec, &outcome, e);
    print_outcome(&outcome);
    return ok;
}

int main(int argc, char **argv)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct connection live;
    if (argc < 4)
        return 64;
    stop_install();
    bool is_deploy = strcmp(argv[1], "deploy") == 0;
    bool ok = connection_parse(a, argv[is_deploy ? 3 : 2], ".", &live, &e);
    AUTO(pg) struct pg *db = NULL;
    if (ok)
        db = connection_open_maintenance(&live, NULL,
                                         &(struct session_use){.query_deadline_ms = 2000}, &e);
    if (db == NULL)
        ok = false;
    else if (is_deploy)
        ok = deploy(a, argv, &live, db, &e);
    else if (strcmp(argv[1], "end") == 0)
        ok = prisma_sessions_end(a, db, live.dbname, argv[3], &e);
    else
        ok = prisma_lock_wait(a, db, live.dbname, strtoll(argv[3], NULL, 10), &e);
    if (!ok)
        fprintf(stderr, "%s: %s\nhint: %s\n", err_kind_name(e.kind), e.message, e.hint);
    return ok ? 0 : err_exit_status(e.kind);
}
