/*
 * receiver.h - tests/receiver.py in the background of a unit test.
 *
 *     struct receiver r;
 *     if (!receiver_start(&r, "--fail 2")) { TAP_SKIP("no python3 here"); return; }
 *     ... r.url ... receiver_log(a, &r) ...
 *     receiver_stop(&r);
 */
#ifndef MIGSAFE_TESTS_RECEIVER_H
#define MIGSAFE_TESTS_RECEIVER_H

#include "base/str.h"
#include "tree.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

struct receiver {
    char *dir;
    pid_t pid;
    char url[128];
    char host[64];
};

UNUSED static void receiver_stop(struct receiver *r)
{
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
    tree_remove(r->dir);
}

UNUSED static char *receiver_log(struct arena *a, const struct receiver *r)
{
    char *text;
    struct err e = {0};
    return fs_read(a, fs_join(a, r->dir, "log"), 1 << 20, &text, NULL, &e) ? text : NULL;
}

/* Without waiting: to start several at once. */
UNUSED static void receiver_spawn(struct receiver *r, const char *options)
{
    AUTO(arena) struct arena *a = arena_new();
    *r = (struct receiver){.dir = tree_new()};
    const char *line = arena_printf(a,
                                    "exec python3 -S tests/receiver.py --life 30 --port-file "
                                    "%s/port --log %s/log %s",
                                    r->dir, r->dir, options);
    fflush(stdout);
    r->pid = fork();
    if (r->pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
}

/* False: there is no python3, or no tests/receiver.py from here. */
UNUSED static bool receiver_wait(struct receiver *r)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *port_file = fs_join(a, r->dir, "port");
    for (int i = 0; i < 1000 && waitpid(r->pid, NULL, WNOHANG) == 0; i++) {
        char *port;
        struct err e = {0};
        if (fs_read(a, port_file, 16, &port, NULL, &e)) {
            int number = (int)strtol(port, NULL, 10);
            snprintf(r->host, sizeof(r->host), "127.0.0.1:%d", number);
            snprintf(r->url, sizeof(r->url), "http://%s/hook/s3cret?k=s3cret", r->host);
            return true;
        }
        usleep(5000);
    }
    receiver_stop(r);
    return false;
}

UNUSED static bool receiver_start(struct receiver *r, const char *options)
{
    receiver_spawn(r, options);
    return receiver_wait(r);
}

#endif
