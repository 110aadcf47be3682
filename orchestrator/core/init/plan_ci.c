#include "base/fs.h"
#include "core/init/planning.h"
#include "ext/json.h"
#include "files/embedded.h"

static const char *top_of(const struct planning *p)
{
    return p->top == NULL ? p->plan->folder : p->top;
}

static bool at_top(const struct planning *p, const char *name)
{
    return fs_exists(fs_join(p->arena, top_of(p), name));
}

static enum init_ci choose(struct planning *p)
{
    bool github = at_top(p, ".github"), gitlab = at_top(p, ".gitlab-ci.yml");
    if (p->wish->ci != INIT_CI_BY_FILES)
        return p->wish->ci;
    if (github != gitlab)
        return github ? INIT_CI_GITHUB : INIT_CI_GITLAB;
    plan_next(p, github
                     ? "CI: both .github and .gitlab-ci.yml are here; choose by `migsafe init "
                       "--ci github` or `--ci gitlab`."
                     : "CI: neither .github nor .gitlab-ci.yml is here; `migsafe init --ci github` "
                       "or `--ci gitlab` writes a ready job.");
    return INIT_CI_NONE;
}

/* The nearest folder above the project that has package-lock.json: npm workspaces have one. */
static const char *packages_folder(const struct planning *p)
{
    struct arena *a = p->arena;
    for (const char *dir = p->project.root;; dir = fs_dirname(a, dir)) {
        if (fs_exists(fs_join(a, dir, "package-lock.json")))
            return dir;
        if (str_same(dir, top_of(p)) || str_same(dir, "/"))
            return p->project.root;
    }
}

/* A plain word of YAML, or in quotes. */
static const char *yaml_word(struct arena *a, const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
              (*c >= '0' && *c <= '9' && c > text) || strchr("._/-", *c) != NULL) ||
            (*c == '-' && c == text)) {
            AUTO(json) struct json *j = json_object();
            json_put(j, "t", text);
            return json_text(a, json_find(j, "t"));
        }
    return text;
}

/* The one line "  KEY: . # ..." of the ready file gets the folder. */
static const char *with_folder(const struct planning *p, const char *text, const char *key,
                               const char *folder)
{
    const char *line = arena_printf(p->arena, "  %s: . #", key);
    const char *at = strstr(text, line);
    const char *seen = fs_relative(p->arena, top_of(p), folder);
    assert(at != NULL);
    return arena_printf(p->arena, "%.*s  %s: %s #%s", (int)(at - text), text, key,
                        yaml_word(p->arena, seen), at + strlen(line));
}

static const char *filled(const struct planning *p, const char *text)
{
    text = with_folder(p, text, "PROJECT", p->plan->folder);
    return with_folder(p, text, "PACKAGES", packages_folder(p));
}

static void say_other_manager(struct planning *p)
{
    static const char *const locks[] = {"pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"};
    for (size_t i = 0; i < ARRAY_LEN(locks); i++)
        if (fs_exists(fs_join(p->arena, p->project.root, locks[i])) || at_top(p, locks[i]))
            plan_next(p, "CI: the project has %s; put its own command in place of `npm ci`.",
                      locks[i]);
}

bool plan_ci(struct planning *p, struct err *e)
{
    struct arena *a = p->arena;
    switch (choose(p)) {
    case INIT_CI_GITHUB:
        plan_next(p, "CI: set the secret DATABASE_URL in the environment \"production\" and the "
                     "variables MIGSAFE_REPOSITORY, PG_MAJOR and BACKUP_DIR (docs/CI.md).");
        say_other_manager(p);
        return plan_whole(p, fs_join(a, top_of(p), ".github/workflows/migsafe.yml"), "CI",
                          filled(p, file_packaging_ci_github_actions_yml), 0666, e);
    case INIT_CI_GITLAB:
        plan_next(p, "CI: add to .gitlab-ci.yml:  include: [{local: .gitlab/migsafe.yml}]");
        plan_next(p, "CI: set the variables DATABASE_URL (scope: production; protected, masked), "
                     "MIGSAFE_REPOSITORY, PG_MAJOR and BACKUP_DIR (docs/CI.md).");
        say_other_manager(p);
        return plan_whole(p, fs_join(a, top_of(p), ".gitlab/migsafe.yml"), "CI",
                          filled(p, file_packaging_ci_gitlab_ci_yml), 0666, e);
    case INIT_CI_BY_FILES:
    case INIT_CI_NONE:
        break;
    }
    return true;
}
