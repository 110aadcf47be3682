/*
 * settings.h - everything that can be configured, in one table.
 *
 * A row gives a setting its field, its names, its default and its help.  From
 * the table come the struct, the readers of file, .env, environment and flags,
 * `migsafe settings` and docs/SETTINGS.md: add a setting by adding a row.
 *
 * The key is the flag (--lock-timeout) and the key in migsafe.json; the
 * environment's name is MIGSAFE_LOCK_TIMEOUT.  Some rows have a second
 * environment name that other tools use too (DATABASE_URL).  Strongest first:
 * flag, environment, .env, migsafe.json, default.  Within one source the
 * MIGSAFE_ name beats the second name.
 *
 * Unknown keys are errors (ERR_CONFIG) in migsafe.json and for MIGSAFE_*, never
 * in .env or the rest of the environment; MIGSAFE_RUN_* is what hooks are told
 * and is ignored, as MIGSAFE_REPOSITORY and MIGSAFE_REF of the CI files are.  A child of ours may
 * inherit MIGSAFE_*: that is meant.
 */
#ifndef MIGSAFE_CORE_SETTINGS_H
#define MIGSAFE_CORE_SETTINGS_H

#include "base/str.h"
#include "ext/json.h"

enum {
    SETTING_SECRET = 1 << 0,   /* shown as *** */
    SETTING_PATH = 1 << 1,     /* made absolute: see settings_finish */
    SETTING_POSITIVE = 1 << 2, /* 0 is refused */
};

/* X(type, field, "key", "default" or NULL, "second environment name" or NULL, flags, "help")
 * A CHOICE names its words in the help's brackets: "... (error|warn|off)". */
#define SETTINGS(X)                                                                                \
    X(TEXT, url, "url", NULL, "DATABASE_URL", SETTING_SECRET,                                      \
      "the application's database, by Prisma's rules")                                             \
    X(TEXT, direct_url, "direct-url", NULL, "DIRECT_URL", SETTING_SECRET,                          \
      "the same database without a pooler in between; used instead of url where given")            \
    X(TEXT, admin_url, "admin-url", NULL, NULL, SETTING_SECRET,                                    \
      "a role for side databases and the swap, where the application's may not")                   \
    X(TEXT, maintenance_database, "maintenance-database", NULL, NULL, 0,                           \
      "database for work on databases (default: postgres, then template1)")                        \
    X(TEXT, pg_bin, "pg-bin", NULL, NULL, SETTING_PATH,                                            \
      "folder of pg_dump and pg_restore (default: found by the server's major version)")           \
    X(TEXT, project, "project", ".", NULL, SETTING_PATH, "folder of the Prisma project")           \
    X(TEXT, schema, "schema", NULL, NULL, SETTING_PATH,                                            \
      "schema.prisma, or its folder (default: found)")                                             \
    X(TEXT, prisma, "prisma", NULL, NULL, SETTING_PATH,                                            \
      "Prisma's CLI: a program or its index.js (default: found)")                                  \
    X(TEXT, backup_dir, "backup-dir", "./backups", "BACKUP_DIR", SETTING_PATH,                     \
      "folder of the backups")                                                                     \
    X(TEXT, state_dir, "state-dir", NULL, NULL, SETTING_PATH,                                      \
      "folder of journals and reports (default: .migsafe in backup-dir)")                          \
    X(TEXT, hooks_dir, "hooks-dir", NULL, NULL, SETTING_PATH,                                      \
      "folder of lifecycle hooks (default: hooks beside migsafe.json, else none)")                 \
    X(DURATION_MS, hook_timeout_ms, "hook-timeout", "5min", NULL, SETTING_POSITIVE,                \
      "longest run of one lifecycle hook")                                                         \
    X(INTEGER, attempts, "attempts", "3", NULL, SETTING_POSITIVE,                                  \
      "how often Prisma may be run in one deploy")                                                 \
    X(DURATION_MS, lock_timeout_ms, "lock-timeout", "5s", NULL, 0,                                 \
      "longest wait of a migration for a lock")                                                    \
    X(DURATION_MS, migrate_timeout_ms, "migrate-timeout", "1h", NULL, 0, "longest run of Prisma")  \
    X(DURATION_MS, wait_ms, "wait", "60s", NULL, 0, "how long to wait for the database to answer") \
    X(DURATION_MS, wait_for_other_ms, "wait-for-other", "15min", NULL, 0,                          \
      "how long to wait for another run of migsafe; 0: not at all")                                \
    X(CHOICE, gate, "gate", "error", NULL, 0, "findings that refuse a deploy (error|warn|off)")    \
    X(LIST, allow, "allow", NULL, NULL, 0,                                                         \
      "findings that are meant: RULE:TARGET, several by comma or repeated")                        \
    X(CHOICE, fence, "fence", "auto", NULL, 0,                                                     \
      "refuse writes of others from snapshot to verdict (auto|on|off)")                            \
    X(DURATION_MS, fence_limit_ms, "fence-limit", "10min", NULL, SETTING_POSITIVE,                 \
      "longest that writes of others are to be refused: a longer rehearsal comes before the "      \
      "fence")                                                                                     \
    X(CHOICE, rehearse, "rehearse", "auto", NULL, 0,                                               \
      "try the migration on a restored copy first (auto|always|never)")                            \
    X(DURATION_MS, rehearse_limit_ms, "rehearse-limit", "10min", NULL, 0,                          \
      "longest time that a rehearsal may take; 0: none")                                           \
    X(CHOICE, way_back, "way-back", "auto", NULL, 0,                                               \
      "a side database that is swapped in; auto: in place where no swap is possible (auto|swap)")  \
    X(DURATION_MS, recover_limit_ms, "recover-limit", "15min", NULL, 0,                            \
      "age up to which an interrupted run is undone by itself")                                    \
    X(BOOLEAN, backup_after, "backup-after", "on", NULL, 0, "a full backup after a deploy")        \
    X(INTEGER, jobs, "jobs", NULL, NULL, SETTING_POSITIVE,                                         \
      "parallel workers (default: processors, at most 8)")                                         \
    X(TEXT, compression, "compression", "auto", NULL, 0,                                           \
      "of backups: auto (zstd:1 from PostgreSQL 16 on, else gzip:1), none, gzip:1 to gzip:9, "     \
      "zstd:1 to zstd:19")                                                                         \
    X(SIZE, split_size, "split-size", "256MB", NULL, 0,                                            \
      "larger tables are copied by several workers at once (PostgreSQL 14 and later); 0: none")    \
    X(INTEGER, keep_last, "keep-last", "10", NULL, 0,                                              \
      "backups kept of each kind for pre-deploy, post-deploy and hourly")                          \
    X(INTEGER, backup_retention_days, "backup-retention-days", "7", "BACKUP_RETENTION_DAYS", 0,    \
      "days that daily backups are kept")                                                          \
    X(TEXT, webhook_url, "webhook-url", NULL, "WEBHOOK_URL", SETTING_SECRET,                       \
      "where alerts are posted")                                                                   \
    X(CHOICE, webhook_on, "webhook-on", "failure", NULL, 0,                                        \
      "when alerts are posted (failure|always)")                                                   \
    X(TEXT, webhook_secret, "webhook-secret", NULL, NULL, SETTING_SECRET,                          \
      "signs alerts (Standard Webhooks)")                                                          \
    X(DURATION_MS, webhook_timeout_ms, "webhook-timeout", "10s", NULL, 0,                          \
      "longest wait for a receiver, each try")                                                     \
    X(CHOICE, swap_with_slots, "swap-with-slots", "refuse", NULL, 0,                               \
      "swap though logical slots or subscriptions would be lost (refuse|accept)")                  \
    X(DURATION_MS, progress_interval_ms, "progress-interval", "10s", NULL, 0,                      \
      "how often the log tells how far long work is; 0: never, nor does a terminal")               \
    X(TEXT, log_file, "log-file", NULL, NULL, SETTING_PATH, "the log also goes to this file")      \
    X(CHOICE, log_level, "log-level", "info", NULL, 0, "(error|warning|info|debug)")               \
    X(CHOICE, log_format, "log-format", "text", NULL, 0, "(text|json)")

typedef const char *setting_TEXT;
typedef const char *setting_CHOICE;
typedef int setting_INTEGER; /* not negative; -1: not set */
typedef int64_t setting_DURATION_MS;
typedef int64_t setting_SIZE; /* bytes */
typedef bool setting_BOOLEAN;
typedef struct strlist setting_LIST;

/* Where a value came from, strongest last. */
enum setting_source { FROM_DEFAULT, FROM_FILE, FROM_DOTENV, FROM_ENV, FROM_FLAG };
/* "default", "migsafe.json", ".env", "environment", "option" */
const char *settings_source_name(enum setting_source source);

struct settings {
#define X(type, field, key, fallback, second, flags, help) setting_##type field;
    SETTINGS(X)
#undef X
    struct {
#define X(type, field, key, fallback, second, flags, help) enum setting_source field;
        SETTINGS(X)
#undef X
    } from;
    const char *file;        /* the migsafe.json that was read, absolute; or NULL */
    struct strlist dotenv;   /* the .env files that were read, strongest first */
    struct strlist warnings; /* for the log, once it is set up */
};

/* Defaults only.  Flags may be set next, so that they say where to look (project, schema). */
void settings_defaults(struct arena *a, struct settings *s);
/* The other sources: migsafe.json of config (NULL: "migsafe.json" in the current folder when there
 * is one), .env beside it and in Prisma's places (the project's root, the schema's folder,
 * ./prisma), the environment.  ERR_CONFIG names the setting, the source and the reason. */
MUST_CHECK bool settings_read(struct arena *a, struct settings *s, const char *config,
                              struct err *e);
/* Both of the above. */
MUST_CHECK bool settings_load(struct arena *a, struct settings *s, const char *config,
                              struct err *e);
/* Sets one setting by key; false with ERR_CONFIG.  A weaker source does not replace a stronger, the
 * same source does, but that a LIST grows.  "" unsets a TEXT, a CHOICE falls back to nothing less
 * than one of its words.  Relative paths are relative to the current folder. */
MUST_CHECK bool settings_set(struct arena *a, struct settings *s, const char *key,
                             const char *value, enum setting_source source, struct err *e);
/* Fills what depends on others (state-dir, hooks-dir, jobs), makes default paths absolute - beside
 * migsafe.json, without one in the current folder - and secrets known to the log. */
void settings_finish(struct arena *a, struct settings *s);

bool settings_has(const char *key);
bool settings_is_flag(const char *key);   /* a BOOLEAN: "--key" alone means on */
bool settings_is_secret(const char *key); /* a flag that `ps` would show */
/* "MIGSAFE_URL or DATABASE_URL" */
char *settings_env_names(struct arena *a, const char *key) RETURNS_NONNULL;
void settings_keys(struct strlist *keys); /* adds every key */

/* The value that counts for one key, secrets as "***", with its source. */
void settings_print(struct arena *a, const struct settings *s, FILE *to);
void settings_json(struct arena *a, const struct settings *s, struct json *to);
void settings_help(FILE *to);
void settings_markdown(struct arena *a, FILE *to);             /* docs/SETTINGS.md */
struct json *settings_schema(struct arena *a) RETURNS_NONNULL; /* docs/migsafe.schema.json */

#endif
