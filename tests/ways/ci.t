#!/usr/bin/env bash
# The ready CI files, as `migsafe init` writes them: their own commands run here in their order, on real
# repositories, a real server and a real Prisma.  Only `npm ci`, checkouts and uploads are stood in for;
# that migsafe is on the PATH is what makes the files not build it.
# shellcheck source=tests/lib.sh
# test: long
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
python3 -c 'import yaml' 2>/dev/null || skip_all "python3-yaml is not here"
need_server

JOB_HOME=$T/home
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE=2027-01-01T00:00:00Z GIT_COMMITTER_DATE=2027-01-01T00:00:00Z
mkdir "$JOB_HOME" "$T/bin"
ln -s "$MIGSAFE" "$T/bin/migsafe"
PG_MAJOR=$("$TEST_PGBIN/pg_dump" --version | sed 's/.* \([0-9]*\).*/\1/')
PACKAGES=$(npm_cache "$ROOT/fixtures/app")/node_modules

# --- the repository: `main` is what production has, branches add migrations

shop_base
git init -q --bare -b main origin
git init -q -b main src
cp -R "$APP/." src/ && rm src/node_modules && cp "$ROOT/fixtures/app/seed.sql" src/
printf 'node_modules\n' >src/.gitignore
git -C src add -A && git -C src commit -qm empty --allow-empty
git -C src remote add origin "$T/origin"
for ci in github gitlab; do
	run env -C src "$MIGSAFE" init --ci "$ci"
	status_is 0 "init --ci $ci"
done
# shellcheck disable=SC2016 # npm's shell expands
jq '.scripts["prisma:seed"] = "psql -Xq -v ON_ERROR_STOP=1 \"$DATABASE_URL\" -f \"${SEED:-seed.sql}\""' \
	src/package.json >p && mv p src/package.json
mkdir -p src/hooks/end
# shellcheck disable=SC2016 # the hook's shell expands
printf '#!/bin/sh\necho "$MIGSAFE_RUN_DATABASE" >>"$HOME/hooks-ran"\n' >src/hooks/end/10-tell && chmod +x src/hooks/end/10-tell
git -C src add -A && git -C src commit -qm 'The shop, with migsafe' && git -C src push -q origin main

branch() { # NAME MIGRATION: a branch of main that adds it
	git -C src checkout -qB "$1" main
	app_migration src "$2" && git -C src add -A && git -C src commit -qm "$2" && git -C src push -q origin "$1"
	git -C src checkout -q main
}
branch good good_add_column
branch losing lose_drop_column
branch failing fail_halfway

workspace() { # BRANCH: a fresh checkout in $T/ws, as the services make it: detached
	rm -rf ws runner && mkdir runner
	git clone -q origin ws && git -C ws checkout -q --detach "origin/$1"
}

# --- playing jobs

given() { # JQ-OBJECT: what the service supplies, with the common part
	jq -n --arg ws "$T/ws" --arg path "$T/bin:$TEST_PGBIN:$PATH" --arg home "$JOB_HOME" --arg temp "$T/runner" \
		--arg major "$PG_MAJOR" --arg packages "$PACKAGES" --arg seed "${SEED-}" "{
		workspace: \$ws,
		environment: {PATH: \$path, HOME: \$home, GIT_CONFIG_GLOBAL: (\$home + \"/.gitconfig\"), CI: \"true\", LC_ALL: \"C.UTF-8\", CHECKPOINT_DISABLE: \"1\", MIGSAFE_REHEARSE: \"never\", SEED: \$seed}
	} * ($1)" >given.json
}

github_check() { # BRANCH DATABASE
	workspace "$1"
	# shellcheck disable=SC2016 # variables of jq
	given '{environment: {GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: $ws, RUNNER_TEMP: $temp, GITHUB_BASE_REF: "main"},
		expressions: {"vars.PG_MAJOR || '"'15'"'": $major, "github.base_ref": "main", "github.workspace": $ws},
		replace: {"Packages of the project": ("ln -s " + $packages + " node_modules")},
		override: {DATABASE_URL: "'"$(db_url "$2")"'", DIRECT_URL: "'"$(db_url "$2")"'", MIGSAFE_ADMIN_URL: "'"$(db_url "$2")"'",
			BACKUP_DIR: ($temp + "/backups")}}'
	run python3 "$ROOT/tests/ways/ci_job.py" github ws/.github/workflows/migsafe.yml check given.json
}

github_deploy() { # BRANCH DATABASE [LASTING]
	workspace "$1"
	# shellcheck disable=SC2016 # variables of jq
	given '{environment: {GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: $ws, RUNNER_TEMP: $temp},
		expressions: {"vars.PG_MAJOR || '"'15'"'": $major, "vars.BACKUP_DIR": "'"${3-}"'", "github.workspace": $ws,
			"runner.temp": $temp, "secrets.DATABASE_URL": "'"$(db_url "$2" owner)"'", "secrets.DIRECT_URL": "",
			"secrets.WEBHOOK_URL": ""},
		replace: {"Packages of the project": ("ln -s " + $packages + " node_modules")},
		override: {BACKUP_DIR: "'"$BACKUPS"'"}}'
	run python3 "$ROOT/tests/ways/ci_job.py" github ws/.github/workflows/migsafe.yml deploy given.json
}

gitlab() { # JOB BRANCH OVERRIDE PROJECT
	workspace "$2"
	git -C ws branch -qrd origin/main # GitLab fetches what the job is about, and no more
	# shellcheck disable=SC2016 # variables of jq
	given '{environment: {GITLAB_CI: "true", CI_PROJECT_DIR: $ws, CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main"},
		replace: {"(cd \"$PACKAGES\" && npm ci)": ("ln -s " + $packages + " node_modules")},
		override: ({PG_MAJOR: $major} + '"$3"'), project: '"$4"'}'
	run python3 "$ROOT/tests/ways/ci_job.py" gitlab ws/.gitlab/migsafe.yml "$1" given.json
}

columns() { # DATABASE -> how often the column of the good migration is there
	sql "$1" "SELECT count(*) FROM information_schema.columns WHERE table_name = 'User' AND column_name = 'nickname'"
}
grep -q '"nickname"' "$ROOT/fixtures/migrations/good_add_column/migration.sql" || bail "nickname is not what good_add_column adds"

# --- GitHub: pull requests

db_create check1
github_check good check1
status_is 0 "a good pull request"
unlike "$OUT" '::(error|warning)' "nothing is said against it"
like "$OUT" '== Get migsafe: skipped.*== Build migsafe: skipped' "migsafe on the PATH is not built"
is "$(columns check1)" 1 "it was tried on the stand-in"
[ "$(sql check1 'SELECT count(*) FROM "User"')" = 8000 ]
ok $? "which has the seed's rows"
git -C ws worktree list | grep -q "$T/runner/base"
ok $? "the base was a worktree of the checkout"

db_create check2
github_check losing check2
status_is 10 "a pull request that would lose values fails"
like "$OUT" '::error file=prisma/migrations/[0-9]+_lose_drop_column/migration.sql,line=[0-9]+' "with an annotation at its line"
like "$OUT" '== Trial on the stand-in: skipped' "and is not tried"

db_create check3
SEED=none.sql github_check losing check3
status_is 0 "without rows"
like "$OUT" '::warning title=migsafe::prisma:seed failed' "that there are none is told"
like "$OUT" '::warning file=prisma/migrations/[0-9]+_lose_drop_column/migration.sql' "and the same is a warning"

git -C src checkout -q --orphan start && git -C src rm -rqf . && git -C src commit -qm 'Before there was a shop' --allow-empty
git -C src push -qf origin start:main && git -C src checkout -q main
db_create check4
github_check good check4
status_is 0 "the pull request that brings the project"
like "$OUT" '::notice title=migsafe::main has no migrations yet' "the stand-in starts empty, which is told"
is "$(columns check4)" 1 "and the whole history is tried"
git -C src push -qf origin main

[ ! -e "$JOB_HOME/hooks-ran" ]
ok $? "hooks are not run for a stand-in"

# --- GitHub: production

shop_new prod
github_deploy good prod
status_is 0 "production is migrated"
is "$(columns prod)" 1 "really"
like "$OUT" '::warning title=migsafe::The variable BACKUP_DIR is not set' "that backups do not last is told"
is "$(jq -r .verdict runner/migsafe-report.json)" migrated "the report is there to upload"
like "$OUT" '== actions/upload-artifact@v4.*migsafe-report.json' "and uploaded"

is "$(cat "$JOB_HOME/hooks-ran")" "$(db_name prod)" "its hooks are run"
github_deploy good prod /srv/backups
status_is 0 "nothing to do"
unlike "$OUT" '::warning' "backups that last are no warning"

shop_new prod2
state_of prod2 >before
github_deploy failing prod2
status_is 20 "production, a migration that fails"
like "$OUT" '::error title=migsafe::the migration failed, the database was restored \(exit status 20\)' "the job says what became of it"
like "$OUT" '== Health.*-- 0.*== Report' "its health is looked at all the same"
is "$(jq -r .verdict runner/migsafe-report.json)" restored "the report is there"
unchanged_since before prod2 "the database is what it was"
unlike "$OUT$ERR" 'ci_job:' "the file was understood"

# --- GitLab

stand_in() { # DATABASE
	printf '{STAND_IN: "%s"}' "$(db_url "$1")"
}
# A variable of the project is in every job: a merge request must not reach production by it.
shop_new live
state_of live >before
production="{DATABASE_URL: \"$(db_url live owner)\", DIRECT_URL: \"$(db_url live owner)\", MIGSAFE_DIRECT_URL: \"$(db_url live owner)\",
	MIGSAFE_REPOSITORY: \"x\", BACKUP_DIR: \"$BACKUPS\"}"
db_create check5
gitlab 'migsafe check' good "$(stand_in check5)" "$production"
status_is 0 "GitLab: a good merge request"
is "$(columns check5)" 1 "it was tried on the stand-in"
is "$(jq '.errors' ws/migsafe-gate.json)" 0 "with an artifact"
db_create check6
gitlab 'migsafe check' losing "$(stand_in check6)" "$production"
status_is 10 "GitLab: a merge request that would lose values"
like "$OUT" 'drop-column' "it says why"
is "$(jq -r '.findings[] | select(.level == "error").rule' ws/migsafe-gate.json)" drop-column "so does the artifact"
isnt "$(tail -n 1 "$JOB_HOME/hooks-ran")" "$(db_name check6)" "hooks are not run"
unchanged_since before live "production is untouched by merge requests"
[ ! -e "$BACKUPS" ]
ok $? "and so is the folder of its backups"

gitlab 'migsafe deploy' failing '{}' "$production"
status_is 20 "GitLab: production, a migration that fails"
like "$OUT" 'ERROR: the migration failed, the database was restored' "the job says what became of it"
is "$(jq -r .verdict ws/migsafe-report.json)" restored "the report is there"
unchanged_since before live "the database is what it was"
gitlab 'migsafe deploy' good '{}' "$production"
status_is 0 "GitLab: production is migrated"
is "$(columns live)" 1 "really"

# --- what a player cannot show

yq() { # FILE PYTHON-EXPRESSION on y
	python3 -c 'import json, sys, yaml; y = yaml.safe_load(open(sys.argv[1])); print(json.dumps(eval(sys.argv[2])))' "$ROOT/packaging/ci/$1" "$2"
}
is "$(yq github-actions.yml 'y["jobs"]["deploy"]["concurrency"]')" '{"group": "migsafe-production", "cancel-in-progress": false}' \
	"GitHub: one deploy at a time, never cut off"
is "$(yq github-actions.yml '[s["with"]["fetch-depth"] for j in y["jobs"].values() for s in j["steps"][:1]]')" '[0, 0]' "GitHub: whole history"
is "$(yq github-actions.yml '[y["jobs"]["deploy"]["environment"], y["permissions"]]')" '["production", {"contents": "read"}]' "GitHub: environment and rights"
is "$(yq github-actions.yml '[s.get("name") for s in y["jobs"]["deploy"]["steps"] if "secrets." in str(s)]')" '["Gate", "Deploy", "Health"]' \
	"GitHub: only migsafe's own steps see the secrets"
is "$(yq gitlab-ci.yml '[y["migsafe deploy"][k] for k in ("environment", "resource_group", "interruptible")]')" \
	'["production", "production", false]' "GitLab: one deploy at a time, never cut off"
is "$(yq gitlab-ci.yml '[y[".migsafe"]["variables"]["GIT_DEPTH"], y["migsafe check"]["rules"], y["migsafe deploy"]["rules"]]')" \
	"[\"0\", [{\"if\": \"\$CI_PIPELINE_SOURCE == \\\"merge_request_event\\\"\"}], [{\"if\": \"\$CI_COMMIT_BRANCH == \$CI_DEFAULT_BRANCH\"}]]" \
	"GitLab: whole history, and which job when"
done_testing
