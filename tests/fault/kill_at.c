/*
 * kill_at.c - something happens to a migsafe at one record of its journal; loaded with LD_PRELOAD.
 *
 *   TEST_KILL_AT=before:12      right before record 12 is written
 *                after:12       right after it is on disk
 *                later:12:150   150 ms after that, whatever is done by then
 *   TEST_KILL_RUN=COMMAND       run by sh and waited for, instead of SIGKILL to ourselves
 *   TEST_KILL_FULL=1            from there on the journal's disk is full
 *
 * Records are counted as this process writes them, from 1; notes of progress, of which there are
 * as many as there is time for, are not.  Acts in the process that was started with it only: what
 * that starts does not hear of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum when { NEVER, BEFORE, AFTER, LATER };

static struct {
    enum when when;
    long record, delay_ms;
    const char *command;
    bool full;
    pid_t self;
} at;

static atomic_long written;
static atomic_bool came; /* to the point */

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("TEST_KILL_AT");
    unsetenv("LD_PRELOAD");
    if (text == NULL)
        return;
    if (sscanf(text, "before:%ld", &at.record) == 1)
        at.when = BEFORE;
    else if (sscanf(text, "after:%ld", &at.record) == 1)
        at.when = AFTER;
    else if (sscanf(text, "later:%ld:%ld", &at.record, &at.delay_ms) == 2)
        at.when = LATER;
    at.command = getenv("TEST_KILL_RUN");
    at.full = getenv("TEST_KILL_FULL") != NULL;
    at.self = getpid();
    unsetenv("TEST_KILL_AT");
}

static bool is_journal(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return false;
    path[n] = '\0';
    const char *name = strrchr(path, '/');
    return name != NULL && strcmp(name, "/journal.jsonl") == 0;
}

static void act(void)
{
    atomic_store(&came, true);
    if (at.command == NULL && !at.full)
        kill(at.self, SIGKILL);
    if (at.command != NULL && system(at.command) != 0)
        fprintf(stderr, "kill_at: %s: failed\n", at.command);
}

static void *act_later(void *unused)
{
    struct timespec pause = {at.delay_ms / 1000, at.delay_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    act();
    return unused;
}

static void act_or_wait(void)
{
    pthread_t thread;
    if (at.when == LATER && pthread_create(&thread, NULL, act_later, NULL) == 0)
        pthread_detach(thread);
    else
        act();
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    if (at.when == NEVER || getpid() != at.self || !is_journal(fd))
        return real(fd, bytes, n);
    if (memmem(bytes, n, "\"progress\":", 11) == NULL &&
        atomic_fetch_add(&written, 1) + 1 == at.record && at.when == BEFORE)
        act();
    if (at.full && atomic_load(&came)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, n);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    if (at.when >= AFTER && getpid() == at.self && is_journal(fd) &&
        atomic_load(&written) == at.record && !atomic_exchange(&came, true))
        act_or_wait();
    return result;
}
