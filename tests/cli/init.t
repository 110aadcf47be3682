#!/usr/bin/env bash
# migsafe init: what it writes into which project, what it leaves, and that the user's bytes stay.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 HOME=$T
umask 022

new_app() { # FOLDER: a Prisma project with a package.json that npm init would not write
	mkdir -p "$1/prisma/migrations/20240101000000_init"
	cat >"$1/prisma/schema.prisma" <<-'SCHEMA'
		datasource db {
		  provider = "postgresql"
		  url      = env("DATABASE_URL")
		}
	SCHEMA
	echo 'CREATE TABLE "A" (id int PRIMARY KEY);' >"$1/prisma/migrations/20240101000000_init/migration.sql"
	printf '{\r\n   "version" : "1.0.0",\r\n   "name":"app",\r\n   "scripts": {\r\n      "dev": "x",   "t":"é\\u00e9"\r\n   },\r\n   "a" :[ 1,2 ]}' \
		>"$1/package.json"
}

in_app() { # FOLDER ARGUMENT...: migsafe init there
	run env -C "$1" "$MIGSAFE" init "${@:2}"
}

tree() { # FOLDER -> every file with its checksum and mode
	(cd "$1" && find . -name .git -prune -o -type f -printf '%m %p\n' -exec sha256sum {} \; | sort)
}

json() { # JQ-FILTER
	jq -r "$1" <<<"$OUT"
}

# --- a project in a repository, from nothing
new_app app
git -C app init -q
mkdir app/.github
cp app/package.json before.json
before=$(tree app)
in_app app --dry-run
status_is 0 "--dry-run"
like "$OUT" 'would write migsafe\.json' "it lists what it would write"
is "$(tree app)" "$before" "and writes nothing"
in_app app --dry-run --json
is "$(json '.dry_run, (.written | map(.path) | join(" "))')" \
	"true"$'\n'"migsafe.json migsafe.schema.json package.json scripts/db.mk Makefile .github/workflows/migsafe.yml .gitignore" \
	"--dry-run --json"
is "$(tree app)" "$before" "which writes nothing either"

in_app app
status_is 0 "init"
like "$OUT" 'wrote +package\.json +npm scripts added: prisma:migrate:prod, ' "it says what it wrote"
like "$OUT" 'next:.*DATABASE_URL.*migsafe doctor.*migsafe deploy --dry-run' "and what comes next"
is "$(jq -r '.scripts | to_entries[] | select(.value | startswith("migsafe")) | "\(.key)=\(.value)"' app/package.json)" \
	'prisma:migrate:prod=migsafe deploy
prisma:status=migsafe status
prisma:rollback=migsafe restore
migration:check=migsafe health
migration:deploy=migsafe deploy
migration:backup=migsafe backup
migration:restore=migsafe restore' "the npm scripts"
# Without the inserted text the file is byte for byte what it was.
perl -0777 -pe 's/,\s*"(prisma|migration):[a-z:]+":"migsafe [a-z]+"//g' app/package.json >without.json
cmp -s without.json before.json
ok $? "every other byte of package.json is what it was" || diag "$(cat -A app/package.json)"
# shellcheck disable=SC2016 # a key of JSON
is "$(cat app/migsafe.json)" '{
  "$schema": "./migsafe.schema.json",
  "backup-dir": "./backups"
}' "migsafe.json"
cmp -s app/migsafe.schema.json "$ROOT/docs/migsafe.schema.json"
ok $? "the schema is that of docs"
cmp -s app/scripts/db.mk "$ROOT/scripts/db.mk"
ok $? "db.mk is that of scripts"
is "$(cat app/Makefile)" "include scripts/db.mk" "a new Makefile"
is "$(cat app/.gitignore)" $'backups/\nbackup_*.sql' "a new .gitignore"
[ ! -e app/deploy.sh ]
ok $? "no deploy.sh without a compose file"
cmp -s app/.github/workflows/migsafe.yml "$ROOT/packaging/ci/github-actions.yml"
ok $? "the workflow, because .github is there"
is "$(find app -newer before.json -type f -not -path '*/.git/*' -printf '%m\n' | sort -u)" 644 "files have mode 666 less the umask"
is "$(stat -c %a app/scripts app/.github/workflows | sort -u)" 755 "folders have mode 777 less the umask"
run env -C app "$MIGSAFE" settings --json
status_is 0 "the settings are valid"
is "$(json '.settings["backup-dir"] | .value, .source')" "$T/app/backups"$'\n'"migsafe.json" "and say where backups go"
run make -C app db-help
status_is 0 "make db-help"
like "$OUT" 'db-migrate-prod' "make finds the targets"

before=$(tree app)
in_app app --json
status_is 0 "a second run"
is "$(json '.written | length')" 0 "writes nothing"
is "$(json '.left | length')" 8 "and tells everything that it leaves"
is "$(tree app)" "$before" "and changes nothing"
in_app app --force --json
is "$(json '.written | length')" 0 "nor does --force where all is as it would be"
is "$(tree app)" "$before" "really"

# --- what is there is left; --force writes ours anew and keeps it
printf 'mine\n' | tee app/scripts/db.mk >app/.github/workflows/migsafe.yml
printf '{"wait": "5s"}' >app/migsafe.json
perl -pi -e 's/"migsafe restore"/"prisma migrate reset --force"/ if /"prisma:rollback"/' app/package.json
chmod 600 app/package.json
cp app/package.json was.json
before=$(tree app)
in_app app --json
status_is 0 "with files of others"
is "$(tree app)" "$before" "they are left"
like "$(json '.left[] | select(.path == "package.json").why')" 'left as they are: prisma:rollback; --force' "and told: npm scripts"
like "$(json '.left[] | select(.path == "scripts/db.mk").why')" 'exists, left as it is' "and told: files"
in_app app --force --json
status_is 0 "--force"
is "$(json '.written | map(.path + " " + .kept) | join(" ")')" \
	"package.json package.json.bak scripts/db.mk scripts/db.mk.bak .github/workflows/migsafe.yml .github/workflows/migsafe.yml.bak" \
	"--force writes ours anew"
is "$(cat app/scripts/db.mk.bak)" "mine" "the former file is kept"
is "$(cat app/migsafe.json)" '{"wait": "5s"}' "settings are never replaced"
cmp -s app/package.json.bak was.json
ok $? "the former package.json is kept"
is "$(jq -r '.scripts["prisma:rollback"]' app/package.json)" "migsafe restore" "the script is replaced"
is "$(stat -c %a app/package.json)" 600 "its mode is kept"
printf 'mine again\n' >app/scripts/db.mk
in_app app --force
is "$(cat app/scripts/db.mk.bak app/scripts/db.mk.bak2)" "mine"$'\n'"mine again" "a kept file is not replaced by the next"

# --- a Makefile of the user's
makefile() { # TEXT: what init makes of it, in a project of its own
	rm -rf m
	new_app m
	printf '%b' "$1" >m/Makefile
	in_app m --ci none --json
}
makefile "all:\n\t@echo all \\\\"
is "$(cat m/Makefile)" "$(printf 'all:\n\t@echo all \\\n\ninclude scripts/db.mk')" "the include comes last, after an empty line"
run make -C m
is "$OUT" "$(make -C m all)" "the default goal stays"
makefile '# ours\n-include ./scripts/db.mk\n'
is "$(json '.left[] | select(.path == "Makefile").why')" "includes scripts/db.mk" "an include that is there is enough"
makefile 'db-backup other:\n\ttrue\n'
like "$(json '.left[] | select(.path == "Makefile").why')" 'has targets of its own: db-backup;' "targets of the user's come first"
is "$(cat m/Makefile)" "$(printf 'db-backup other:\n\ttrue')" "nothing is added then"
makefile 'PROJECT := shop\n'
like "$(json '.left[] | select(.path == "Makefile").why')" 'sets PROJECT' "so do variables"
rm -rf m && new_app m && touch m/makefile
in_app m
is "$(cat m/makefile)" "include scripts/db.mk" "the Makefile that make would read"
[ ! -e m/Makefile ] && [ ! -e m/.gitignore ]
ok $? "no second one, and no .gitignore where there is no git"

# --- CI, compose, ignores
ci_is() { # CI-FILE NAME ARGUMENT...: the CI file that comes of it
	in_app c --json "${@:3}"
	is "$(json '.written[].path' | grep -E '\.git(hub|lab)/' || echo none)" "$1" "$2"
}
rm -rf m && new_app c && git -C c init -q
ci_is none "no sign of a CI: none" --dry-run
like "$(json '.next | join(" ")')" 'neither .github nor .gitlab-ci.yml' "which is told"
touch c/.gitlab-ci.yml
ci_is .gitlab/migsafe.yml "by .gitlab-ci.yml" --dry-run
like "$(json '.next | join(" ")')" 'local: .gitlab/migsafe.yml' "with the line to include it"
mkdir c/.github
ci_is none "both: none" --dry-run
ci_is .github/workflows/migsafe.yml "--ci github" --dry-run --ci github
ci_is .gitlab/migsafe.yml "--ci gitlab" --dry-run --ci gitlab
ci_is none "--ci none" --dry-run --ci none
touch c/compose.yml c/pnpm-lock.yaml c/Dockerfile
printf 'node_modules\n/backups/*\nbackup_*.sql' | tee c/.gitignore >c/.dockerignore
in_app c --ci gitlab --json
is "$(json '.left[] | select(.why == "has backups/, backup_*.sql").path')" ".gitignore"$'\n'".dockerignore" "ignored already"
like "$(json '.next | join(" ")')" "has pnpm-lock.yaml; put its own command" "another package manager is told"
cmp -s c/deploy.sh "$ROOT/deploy.sh"
ok $? "deploy.sh beside a compose file"
is "$(stat -c %a c/deploy.sh)" 755 "it can be run"
cmp -s c/.gitlab/migsafe.yml "$ROOT/packaging/ci/gitlab-ci.yml"
ok $? "GitLab's file"
printf 'x' >c/.dockerignore
in_app c --backup-dir var/db
is "$(cat c/.dockerignore)" $'x\n/var/db/\nbackup_*.sql' "backups are kept out of images, in the folder that is set"

# --- the project lies deeper
cp -R "$ROOT/fixtures/deep" deep
git -C deep init -q
mkdir deep/.github
touch deep/applications/x/package-lock.json
in_app deep --json --schema applications/x/src/database/prisma/schema.prisma
status_is 0 "from the root of a repository, the schema named"
# shellcheck disable=SC2016 # a key of JSON
is "$(jq -c . deep/migsafe.json)" '{"$schema":"./migsafe.schema.json","schema":"./applications/x/src/database/prisma/schema.prisma","backup-dir":"./backups"}' \
	"the schema is in the settings"
is "$(jq -r '.scripts["migration:check"]' deep/applications/x/package.json)" "migsafe health --config ../../migsafe.json" \
	"npm scripts go where package.json is, and name the settings"
is "$(grep -E '^  (PROJECT|PACKAGES): ' deep/.github/workflows/migsafe.yml | cut -d'#' -f1)" \
	"$(printf '  PROJECT: . \n  PACKAGES: applications/x ')" "CI knows both folders"
is "$(cat deep/Makefile)" "$(printf 'PROJECT ?= applications/x\nSCHEMA ?= src/database/prisma/schema.prisma\ninclude scripts/db.mk')" "so does make"
run env -C deep "$MIGSAFE" settings --json
is "$(json '.settings.schema.value')" "$T/deep/applications/x/src/database/prisma/schema.prisma" "migsafe finds it"
before=$(tree deep)
in_app deep
is "$(tree deep)" "$before" "the second run needs no --schema"

mkdir -p 'mono/apps/my app'
git -C mono init -q
new_app 'mono/apps/my app'
in_app 'mono/apps/my app' --ci github --json
status_is 0 "inside a repository"
is "$(json '.written[].path' | grep github)" ../../.github/workflows/migsafe.yml "the workflow goes to its root"
is "$(grep -E '^  PROJECT: ' mono/.github/workflows/migsafe.yml | cut -d'#' -f1)" '  PROJECT: "apps/my app" ' "with the folder, quoted"
mkdir elsewhere
in_app elsewhere --project "$T/mono/apps/my app" --json --dry-run
is "$(json .folder)" "$T/mono/apps/my app" "a project that is not below is set up where it is"

# --- what is refused, with nothing written
refused() { # STATUS NAME PATTERN: of the last run, in folder r
	status_is "$1" "$2"
	like "$ERR" "$3" "$2: why"
	is "$(tree r)" "$before" "$2: nothing is written"
}
mkdir r
before=
in_app r
refused 66 "no Prisma project" 'no schema.prisma found'
rm -rf r && new_app r
printf '{"scripts": {"a": "b",}}' >r/package.json
before=$(tree r)
in_app r
refused 78 "package.json is no JSON" 'package\.json.*: invalid JSON at line 1'
printf '{"scripts": []}' >r/package.json
before=$(tree r)
in_app r
refused 78 "scripts is a list" '"scripts" is not a JSON object'
printf '{"a": "b"}\n\0more' >r/package.json
before=$(tree r)
in_app r
refused 78 "package.json has a NUL" 'is not a text'
rm r/package.json
printf '{"scirpts": 1}' >r/migsafe.json
before=$(tree r)
in_app r
refused 78 "migsafe.json is wrong" 'scirpts'
rm r/migsafe.json
in_app r --json
status_is 0 "without a package.json"
is "$(json '.left[] | select(.path == "package.json").why')" "there is none" "it is told"
rm -rf r && new_app r && mkdir r/Makefile
before=$(tree r)
in_app r
refused 71 "a Makefile that is a folder" 'Makefile" is not a file'
rmdir r/Makefile && touch r/scripts
before=$(tree r)
in_app r
refused 71 "scripts is a file" 'scripts'
rm r/scripts
before=$(tree r)
in_app r --ci jenkins
refused 64 "a CI that is not known" 'github, gitlab or none'
in_app r --dry-run=x
refused 64 "--dry-run takes no value" 'dry-run'
# What fails in the middle is taken back: the last file meets a folder where it is written aside.
new_app w && git -C w init -q && printf 'x\n' >w/.gitignore
before=$(tree w)
# shellcheck disable=SC2016 # the inner shell expands
run bash -c 'cd w && mkdir ".gitignore.tmp$$" && exec "$1" init' _ "$MIGSAFE"
status_is 71 "the last file cannot be written"
like "$ERR" 'nothing was changed: could not create' "it says so"
is "$(tree w)" "$before" "what was written is taken back"

new_app l && mkdir real && mv l/package.json real/ && ln -s ../real/package.json l/package.json
in_app l
[ -L l/package.json ] && grep -q 'migsafe deploy' real/package.json
ok $? "a linked package.json stays a link"

# --- what goes past migsafe
new_app b
mkdir -p b/docker b/node_modules/x b/docs
printf '{\n "scripts": {\n  "postinstall": "prisma migrate deploy && prisma generate"\n }\n}\n' >b/package.json
printf '#!/bin/sh\n# prisma migrate deploy comes first\nexec npx prisma migrate  deploy\n' >b/docker/entrypoint.sh
# shellcheck disable=SC2016 # a Dockerfile's own text
printf 'FROM node\nCMD ["npx", "prisma", "migrate", "deploy"]\n' >b/Dockerfile.prod
echo 'prisma migrate deploy' >b/node_modules/x/run.sh
echo 'run: prisma migrate dev; prisma migrate deploys; migsafe deploy # not prisma migrate deploy' >b/ci.yml
echo '    prisma migrate deploy' >b/docs/notes.md
in_app b
status_is 0 "init of a project that runs Prisma by itself"
like "$OUT" 'past migsafe.*: Dockerfile.prod:2, package.json:3, docker/entrypoint.sh:3\.' "it names the places, and only those"
in_app b --json
is "$(json '[.next[] | select(test("past migsafe"))] | length')" 1 "in JSON, too, and of what it wrote itself nothing"
new_app u
sed -i 's/DATABASE_URL/POSTGRES_URL/' u/prisma/schema.prisma
in_app u
like "$OUT" 'Set MIGSAFE_URL.*in POSTGRES_URL' "a project with a variable of its own is told which to set"
done_testing
