#include "core/prisma/project.h"

#include "tap.h"
#include "tree.h"

static const char datasource[] = "// datasource db { url = env(\"COMMENT\") }\n"
                                 "generator client { provider = \"prisma-client-js\" }\n"
                                 "datasource db {\n"
                                 "  provider  = \"postgresql\" /* url = env(\"NO\") */\n"
                                 "  url       = env(\"DB\")\n"
                                 "  directUrl = env(\"DIRECT\")\n"
                                 "  shadowDatabaseUrl = env(\"SHADOW\")\n"
                                 "}\n"
                                 "model A { url String @default(\"env('X')\") }\n";

static void project_with(const char *dir, const char *schema, const char *migrations)
{
    AUTO(arena) struct arena *a = arena_new();
    tree_file(dir, "package.json", "{\"name\":\"app\"}");
    if (schema != NULL)
        tree_file(dir, schema, datasource);
    if (migrations != NULL)
        tree_file(dir, fs_join(a, migrations, "1_init/migration.sql"), "SELECT 1;");
}

/* "schema migrations variables", paths relative to dir, or the error's message with dir as ".". */
static const char *found(struct arena *a, const char *dir, const char *project, const char *schema)
{
    struct prisma_project p;
    struct err e = {0};
    size_t n = strlen(dir) + 1;
    if (prisma_project_find(a, fs_join(a, dir, project), schema, &p, &e)) {
        const char *root = strlen(p.root) < n ? "." : p.root + n;
        CHECK(p.root[0] == '/' && p.schema[0] == '/' && fs_is_dir(p.migrations));
        return arena_printf(a, "%s: %s %s %s", root, p.schema + n, p.migrations + n,
                            strlist_join(&p.url_variables, ","));
    }
    struct str s = str_on(a);
    for (const char *at = e.message; *at != '\0';) {
        bool is_dir = str_starts(at, dir);
        str_add_n(&s, is_dir ? "." : at, 1);
        at += is_dir ? n - 1 : 1;
    }
    return arena_printf(a, "%s: %s", err_kind_name(e.kind), s.text);
}

TEST(project_in_its_usual_place)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    project_with(dir, "prisma/schema.prisma", "prisma/migrations");
    CHECK_STR(found(a, dir, "", NULL),
              ".: prisma/schema.prisma prisma/migrations DB,DIRECT,DATABASE_URL");
    CHECK_STR(found(a, dir, "", "prisma/schema.prisma"), found(a, dir, "", NULL));
    tree_link(dir, "current", ".");
    CHECK_STR(found(a, dir, "current", NULL), found(a, dir, "", NULL));

    project_with(dir, "schema.prisma", "migrations"); /* goes before ./prisma */
    CHECK_STR(found(a, dir, "", NULL), ".: schema.prisma migrations DB,DIRECT,DATABASE_URL");
}

TEST(project_by_package_json)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    project_with(dir, "db/main.prisma", "db/migrations");
    tree_file(dir, "package.json", "{\"prisma\":{\"schema\":\"./db/main.prisma\"}}");
    CHECK_STR(found(a, dir, "", NULL), ".: db/main.prisma db/migrations DB,DIRECT,DATABASE_URL");
    tree_file(dir, "package.json", "{\"prisma\":{\"schema\":\"db/none.prisma\"}}");
    CHECK_STR(found(a, dir, "", NULL), "not-found: there is no schema \"./db/none.prisma\"");
    tree_file(dir, "package.json", "{\"prisma\":");
    CHECK(str_starts(found(a, dir, "", NULL), "damaged: could not read \"./package.json\": "));
}

TEST(project_deep_in_a_tree)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    const char *schema = "applications/x/src/database/prisma/schema.prisma";
    const char *deep = "src/database/prisma/schema.prisma";
    const char *rest = "applications/x/src/database/prisma/migrations DB,DIRECT,DATABASE_URL";
    project_with(dir, schema, "applications/x/src/database/prisma/migrations");
    CHECK_STR(found(a, dir, "", schema), arena_printf(a, ".: %s %s", schema, rest));
    tree_file(dir, "applications/x/package.json", "{}");
    CHECK_STR(found(a, dir, "", schema), arena_printf(a, "applications/x: %s %s", schema, rest));
    CHECK_STR(found(a, dir, "applications/x", deep), found(a, dir, "", schema));
    CHECK_STR(found(a, dir, "", "applications/x/src/database/prisma"),
              arena_printf(a, "applications/x: applications/x/src/database/prisma %s", rest));
    CHECK_STR(found(a, dir, "applications/x/src", "database/prisma/schema.prisma"),
              arena_printf(a, "applications/x/src: %s %s", schema, rest));
    tree_file(dir, "applications/x/src/database/prisma/package.json", "{}");
    CHECK(str_starts(found(a, dir, "", "applications/x/src/database/prisma"),
                     "applications/x/src/database/prisma: "));
    struct err e = {0};
    CHECK(
        fs_remove_tree(a, fs_join(a, dir, "applications/x/src/database/prisma/package.json"), &e));
    /* outside of the project, though its name begins alike */
    tree_file(dir, "app/package.json", "{}");
    CHECK_STR(found(a, dir, "app", "../applications/x/src/database/prisma/schema.prisma"),
              found(a, dir, "", schema));
    tree_file(dir, "other/package.json", "{}");
    CHECK_STR(found(a, dir, "other", "../applications/x/src/database/prisma/schema.prisma"),
              found(a, dir, "", schema));
}

TEST(project_with_a_folder_of_schema_files)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    const char *variables = "DB,DIRECT,DATABASE_URL";
    project_with(dir, "prisma/schema/base/main.prisma", "prisma/schema/migrations");
    tree_file(dir, "prisma/part.prisma", "datasource d { url = env(\"WRONG\") }");
    tree_file(dir, "prisma/schema/a.prisma", "model x { a { datasource b { url = env('C') } } }");
    tree_file(dir, "prisma/schema/migrations/x.prisma", "datasource d { url = env(\"WRONG\") }");
    CHECK_STR(found(a, dir, "", "prisma/schema"),
              arena_printf(a, ".: prisma/schema prisma/schema/migrations %s", variables));
    CHECK_STR(found(a, dir, "", NULL), found(a, dir, "", "prisma/schema"));
    tree_file(dir, "prisma/schema/base/migrations/1/migration.sql", ""); /* Prisma 6's place */
    CHECK_STR(found(a, dir, "", NULL),
              arena_printf(a, ".: prisma/schema prisma/schema/base/migrations %s", variables));
    tree_file(dir, "prisma/schema/base/main.prisma", "model A {}");
    CHECK_STR(found(a, dir, "", NULL),
              "not-found: there is no datasource block in \"./prisma/schema\"");
}

static const char *with_config(struct arena *a, const char *dir, const char *name, const char *text)
{
    tree_file(dir, name, text);
    const char *said = found(a, dir, "", NULL);
    struct err e = {0};
    CHECK(fs_remove_tree(a, fs_join(a, dir, name), &e));
    return said;
}

TEST(project_by_config)
{
    static const struct {
        const char *config, *want;
    } cases[] = {
        {"export default defineConfig({ schema: 'db/main.prisma', migrations: { path: \"m/igr\" } "
         "})",
         ".: db/main.prisma m/igr DB,DIRECT,DATABASE_URL"},
        {"const c: PrismaConfig = {\n  schema: `db/main.prisma`, // schema: 'no'\n"
         "  migrations: { seed: 'x', path: './m/igr', },\n} satisfies X\nexport default c",
         ".: db/main.prisma m/igr DB,DIRECT,DATABASE_URL"},
        {"module.exports = { schema: path.join('db', 'main.prisma'),"
         " migrations: { path: join(__dirname, \"m\", \"igr\",) } }",
         ".: db/main.prisma m/igr DB,DIRECT,DATABASE_URL"},
        {"export default (async () => { return defineConfig({ schema:"
         " path.resolve(import.meta.dirname, 'db/main.prisma'), migrations: { path: 'm/igr' } }) "
         "})()",
         ".: db/main.prisma m/igr DB,DIRECT,DATABASE_URL"},
        {"export default { adapter: async () => new PrismaPg({ connectionString: u }, { schema: 'x'"
         " }), views: { path: 'v' }, datasource: { url: env('MAIN') } }",
         ".: prisma/schema.prisma prisma/migrations MAIN,DB,DIRECT,DATABASE_URL"},
        {"export default (() => { const c: Config = { schema: 'db/main.prisma', migrations: {"
         " path: 'm/igr' } }; return c })()",
         ".: db/main.prisma m/igr DB,DIRECT,DATABASE_URL"},
        {"wrap({ a: 1 }); export default wrap({ ...base({ schema: 'db/main.prisma',"
         " migrations: { path: 'm/igr' } }) })",
         ".: db/main.prisma m/igr DB,DIRECT,DATABASE_URL"},
        {"export default { schema: 'db/main.prisma', migrations: { path: 'm/igr' } };"
         "type X = { schema: string, migrations: { path: string } }",
         ".: db/main.prisma m/igr DB,DIRECT,DATABASE_URL"},
        {"export default { schema: join('db', 'main.prisma',), migrations: { path: resolve("
         "'m/igr',) } as X }",
         ".: db/main.prisma m/igr DB,DIRECT,DATABASE_URL"},
        {"export default { schema: undefined, migrations: { path: undefined } }",
         ".: prisma/schema.prisma prisma/migrations DB,DIRECT,DATABASE_URL"},
        {"export default { migrations: { path: 'none' } }",
         "not-found: there is no migrations folder \"./none\""},
        {"export default { schema: 'none.prisma' }",
         "not-found: there is no schema \"./none.prisma\""},
        {"export default { schema: where() }",
         "config: could not read schema in \"./prisma.config.ts\": it is not a plain string"},
        {"export default { schema: 'a' + 'b' }",
         "config: could not read schema in \"./prisma.config.ts\": it is not a plain string"},
        {"export default { schema: x ? f() : 'b' }",
         "config: could not read schema in \"./prisma.config.ts\": it is not a plain string"},
        {"export default { migrations: { path: `${x}/m` } }",
         "config: could not read migrations.path in \"./prisma.config.ts\": it is not a plain "
         "string"},
        {"export default { migrations: { path: path.join(base, 'm') } }",
         "config: could not read migrations.path in \"./prisma.config.ts\": it is not a plain "
         "string"},
        /* variables */
        {"import { env } from 'prisma/config'\nconst url = process.env.A\nconst mode = "
         "process.env.NODE_ENV\nexport default { datasource: { url: env<Env>('B') ?? "
         "process.env[\"C\"], shadowDatabaseUrl: env('D') }, experimental: env('E') }",
         ".: prisma/schema.prisma prisma/migrations A,B,C,DB,DIRECT,DATABASE_URL"},
        {"export default { datasource: { url: process.env.A ?? custom(env.B) } }",
         ".: prisma/schema.prisma prisma/migrations A,DB,DIRECT,DATABASE_URL"},
        {"export default { datasource: { url: x } }\nexport const a = process.env.A\n"
         "f(process.env.MY_URL, 1)\nf(process.env.MY_URL) || process.env.C",
         ".: prisma/schema.prisma prisma/migrations DB,DIRECT,DATABASE_URL"},
        {"const databaseUrl = f()\nexport default process.env.A",
         ".: prisma/schema.prisma prisma/migrations DB,DIRECT,DATABASE_URL"},
        {"const connectionString = `${process.env.A_B}`; const it = `it's ${ {a: process.env.C} } "
         "x`"
         ";const poolUrl = process.env.DATABASE_URL, port = process.env.PORT\n/* 'url' */",
         ".: prisma/schema.prisma prisma/migrations A_B,DATABASE_URL,DB,DIRECT"},
    };
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    project_with(dir, "prisma/schema.prisma", "prisma/migrations");
    project_with(dir, "db/main.prisma", "m/igr");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(with_config(a, dir, "prisma.config.ts", cases[i].config), cases[i].want);
}

TEST(project_config_is_found_where_prisma_finds_it)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct prisma_project p;
    struct err e = {0};
    static const char *const order[] = {".config/prisma.mts", "prisma.config.cjs",
                                        "prisma.config.ts",   "prisma.config.js",
                                        ".config/prisma7.ts", "prisma7.config.cts"};
    project_with(dir, "prisma/schema.prisma", "prisma/migrations");
    CHECK(prisma_project_find(a, dir, NULL, &p, &e) && p.config == NULL);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        tree_file(dir, order[i], "export default {}");
        CHECK(prisma_project_find(a, dir, NULL, &p, &e) && p.config != NULL);
        CHECK(p.config != NULL && str_ends(p.config, order[i]));
    }
    CHECK(!p.url_is_literal);
    tree_file(dir, "prisma7.config.cts", "export default { datasource: { url: env('A') } }");
    CHECK(prisma_project_find(a, dir, NULL, &p, &e) && !p.url_is_literal);
    tree_file(dir, "prisma7.config.cts",
              "export default { datasource: { url: 'postgres://h/d' } }");
    CHECK(prisma_project_find(a, dir, NULL, &p, &e) && p.url_is_literal);
    /* relative to the config; the setting beats it */
    tree_file(dir, "prisma7.config.cts", "export default { schema: 'none' }");
    CHECK(prisma_project_find(a, dir, "prisma/schema.prisma", &p, &e));
    tree_file(dir, "prisma7.config.cts", "export default { schema: which }");
    CHECK(prisma_project_find(a, dir, "prisma/schema.prisma", &p, &e));
    CHECK(fs_remove_tree(a, fs_join(a, dir, "prisma7.config.cts"), &e));
    tree_file(dir, ".config/prisma7.ts",
              "export default { schema: '../prisma/schema.prisma', migrations: { path: 'm' } }");
    tree_file(dir, ".config/m/1/migration.sql", "");
    CHECK(prisma_project_find(a, dir, NULL, &p, &e) && str_ends(p.migrations, "/.config/m"));
    tree_file(dir, ".config/prisma7.ts",
              "export default { schema: path.resolve('prisma/schema.prisma') }");
    CHECK(prisma_project_find(a, dir, NULL, &p, &e) && str_ends(p.schema, "/prisma/schema.prisma"));
    tree_file(dir, ".config/prisma7.ts",
              "export default { schema: path.resolve(__dirname, '../prisma/schema.prisma') }");
    CHECK(prisma_project_find(a, dir, NULL, &p, &e) && str_ends(p.schema, "/prisma/schema.prisma"));
}

TEST(project_errors_say_what_to_do)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct prisma_project p;
    struct err e = {0};
    CHECK_STR(found(a, dir, "none", NULL), "not-found: there is no project folder \"./none\"");
    CHECK(!prisma_project_find(a, dir, NULL, &p, &e) && strstr(e.hint, "--schema") != NULL);
    CHECK_STR(found(a, dir, "", NULL), "not-found: no schema.prisma found in \".\"");
    CHECK_STR(found(a, dir, "", "x.prisma"), "not-found: there is no schema \"./x.prisma\"");
    tree_file(dir, "schema.prisma", "model A {}");
    CHECK_STR(found(a, dir, "", NULL),
              "not-found: there is no datasource block in \"./schema.prisma\"");
    tree_file(dir, "schema.prisma", "datasource db { provider = \"mysql\" }");
    CHECK_STR(found(a, dir, "", NULL),
              "config: \"./schema.prisma\" is for mysql, migsafe is for PostgreSQL");
    tree_file(dir, "schema.prisma", "datasource db { provider = \"postgresql\" }");
    CHECK_STR(found(a, dir, "", NULL), "not-found: there is no migrations folder \"./migrations\"");
    tree_file(dir, "migrations/app/20261120T1946_init/migration.json", "{}");
    CHECK_STR(found(a, dir, "", NULL), "preflight: \"./migrations\" holds migrations of Prisma 8");
    tree_file(dir, "migrations/1_init/migration.sql", "");
    CHECK_STR(found(a, dir, "", NULL), ".: schema.prisma migrations DATABASE_URL");
    CHECK(prisma_project_find(a, dir, NULL, &p, &e) && !p.url_is_literal);
    tree_file(dir, "schema.prisma", "datasource db { url = \"postgres://u:p@h/d\" }");
    CHECK(prisma_project_find(a, dir, NULL, &p, &e) && p.url_is_literal);
}

/* "argv version major", paths relative to dir, or kind and message. */
static const char *cli(struct arena *a, const char *dir, const char *root, const char *setting)
{
    struct prisma_project p = {.root = fs_join(a, dir, root)};
    struct err e = {0};
    if (!prisma_project_cli(a, setting, &p, &e))
        return arena_printf(a, "%s: %s", err_kind_name(e.kind), e.message);
    struct str s = str_on(a);
    for (size_t i = 0; p.cli[i] != NULL; i++)
        str_item(&s, " ", str_starts(p.cli[i], dir) ? p.cli[i] + strlen(dir) + 1 : p.cli[i]);
    str_printf(&s, " %s %d", p.version, p.major);
    return s.text;
}

static void package(const char *dir, const char *folder, const char *name, const char *version)
{
    AUTO(arena) struct arena *a = arena_new();
    tree_file(dir, fs_join(a, folder, "package.json"),
              arena_printf(a, "{\"name\":\"%s\",\"version\":\"%s\"}", name, version));
}

TEST(cli_in_node_modules)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    setenv("PATH", fs_join(a, dir, "bin"), 1);
    tree_program(dir, "bin/node", "#!/bin/sh\n");
    CHECK_STR(cli(a, dir, "apps/x", NULL),
              arena_printf(a,
                           "child: there is no Prisma CLI in node_modules of \"%s/apps/x\" or "
                           "above",
                           dir));

    /* hoisted, then nearer; pnpm links the package */
    package(dir, "node_modules/prisma", "prisma", "5.22.0");
    tree_file(dir, "node_modules/prisma/build/index.js", "");
    CHECK_STR(cli(a, dir, "apps/x", NULL), "node node_modules/prisma/build/index.js 5.22.0 5");
    package(dir, "store/prisma", "prisma", "6.19.3");
    tree_file(dir, "store/prisma/build/index.js", "");
    tree_link(dir, "apps/x/node_modules/prisma", "../../../store/prisma");
    CHECK_STR(cli(a, dir, "apps/x", NULL),
              "node apps/x/node_modules/prisma/build/index.js 6.19.3 6");

    /* 8 alone is refused, beside 7 the 7 is taken */
    package(dir, "store/prisma", "prisma", "8.0.0-rc.19");
    CHECK_STR(cli(a, dir, "y", NULL), "node node_modules/prisma/build/index.js 5.22.0 5");
    CHECK_STR(cli(a, dir, "apps/x", NULL),
              "preflight: Prisma 8.0.0-rc.19 has no \"migrate deploy\"");
    package(dir, "node_modules/prisma", "prisma", "8.0.0-rc.19");
    CHECK_STR(cli(a, dir, "apps/x", NULL),
              "preflight: Prisma 8.0.0-rc.19 has no \"migrate deploy\"");
    tree_program(dir, "node_modules/.bin/prisma", "#!/bin/sh\n");
    CHECK_STR(cli(a, dir, "apps/x", NULL),
              "preflight: Prisma 8.0.0-rc.19 has no \"migrate deploy\"");
    package(dir, "node_modules/@prisma/prisma7", "@prisma/prisma7", "7.10.1");
    tree_file(dir, "node_modules/@prisma/prisma7/build/prisma7.js", "");
    CHECK_STR(cli(a, dir, "apps/x", NULL), cli(a, dir, "y", NULL));
    CHECK_STR(cli(a, dir, "y", NULL),
              "node node_modules/@prisma/prisma7/build/prisma7.js 7.10.1 7");

    /* linked by a package manager that has no folder of its own for it */
    package(dir, "s/@prisma/prisma7", "@prisma/prisma7", "7.10.2");
    tree_program(dir, "s/@prisma/prisma7/build/x.js", "");
    tree_link(dir, "w/node_modules/.bin/prisma", "../../../s/@prisma/prisma7/build/x.js");
    CHECK_STR(cli(a, dir, "w", NULL), "w/node_modules/.bin/prisma 7.10.2 7");
    package(dir, "v", "prisma", "1.0.0"); /* a project of that name is not the package */
    tree_program(dir, "v/node_modules/other/prisma", "#!/bin/sh\n");
    CHECK_STR(cli(a, dir, "v", "node_modules/other/prisma"),
              "v/node_modules/other/prisma unknown 0");
    /* only the wrapper */
    tree_program(dir, "z/node_modules/.bin/prisma", "#!/bin/sh\n");
    CHECK_STR(cli(a, dir, "z", NULL), "z/node_modules/.bin/prisma unknown 0");

    struct err e = {0};
    CHECK(fs_remove_tree(a, fs_join(a, dir, "bin/node"), &e));
    CHECK_STR(cli(a, dir, "y", NULL), "child: there is no program \"node\" on PATH");
    CHECK_STR(cli(a, dir, "z", NULL), "z/node_modules/.bin/prisma unknown 0");
}

TEST(cli_by_setting)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    setenv("PATH", fs_join(a, dir, "bin"), 1);
    tree_program(dir, "bin/node", "#!/bin/sh\n");
    tree_program(dir, "bin/my-prisma", "#!/bin/sh\n");
    package(dir, "opt/prisma", "prisma", "7.1.0");
    tree_program(dir, "opt/prisma/build/index.js", "");
    tree_link(dir, "opt/.bin/prisma", "../prisma/build/index.js");
    CHECK_STR(cli(a, dir, "app", "my-prisma"), "my-prisma unknown 0");
    CHECK_STR(cli(a, dir, "app", fs_join(a, dir, "bin/my-prisma")), "bin/my-prisma unknown 0");
    CHECK_STR(cli(a, dir, "opt", "prisma/build/index.js"),
              "node opt/prisma/build/index.js 7.1.0 7");
    CHECK_STR(cli(a, dir, "opt", ".bin/prisma"), "opt/.bin/prisma 7.1.0 7");
    CHECK_STR(cli(a, dir, "app", "no-such"), "child: there is no program \"no-such\" on PATH");
    CHECK(str_starts(cli(a, dir, "app", "none/index.js"), "child: there is no Prisma CLI "));
    package(dir, "opt/prisma", "prisma", "8.0.0");
    CHECK_STR(cli(a, dir, "opt", "prisma/build/index.js"),
              "preflight: Prisma 8.0.0 has no \"migrate deploy\"");
}
