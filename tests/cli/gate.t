#!/usr/bin/env bash
# The gate without a database: what git says of the migrations, from real repositories; its formats.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# Under ASan: the whole stack tells whose leak it is.
export ASAN_OPTIONS=fast_unwind_on_malloc=0 LSAN_OPTIONS=suppressions=$ROOT/tests/libgit2.supp:print_suppressions=0
command -v git >/dev/null || skip_all 'no git here'

unset GITHUB_BASE_REF GITHUB_WORKSPACE CI_MERGE_REQUEST_DIFF_BASE_SHA CI_MERGE_REQUEST_TARGET_BRANCH_NAME
export HOME=$T GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example \
	GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example GIT_CEILING_DIRECTORIES=/
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global protocol.file.allow always

project() { # FOLDER: a Prisma project with two migrations
	mkdir -p "$1/prisma"
	echo '{"name": "x"}' >"$1/package.json"
	printf 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n' >"$1/prisma/schema.prisma"
	migration "$1" 20260101000000_a 'CREATE TABLE "A" (id int PRIMARY KEY);'
	migration "$1" 20260102000000_b 'CREATE TABLE "B" (id int PRIMARY KEY);'
}

migration() { # FOLDER NAME SQL
	mkdir -p "$1/prisma/migrations/$2"
	printf '%s\n' "$3" >"$1/prisma/migrations/$2/migration.sql"
}

commit() { # FOLDER MESSAGE
	git -C "$1" add -A && git -C "$1" commit -qm "$2"
}

# The name of a branch that no clone of this machine has by another name.
cloned() { # FOLDER: a project in a repository, committed; FOLDER.origin is where it was cloned from
	project "$1.origin"
	git -C "$1.origin" init -q && commit "$1.origin" one
	git clone -q "$1.origin" "$1"
	git -C "$1" checkout -q -b work
}

gate() { # FOLDER [ARGUMENT...]
	run "$MIGSAFE" gate --project "$@"
}

said() { # -> "rule:target ..." of the last JSON output, as they come
	jq -r '[.findings[] | "\(.rule):\(.target)"] | join(" ")' <<<"$OUT"
}

# --- nothing to compare with ------------------------------------------------------------------------
project plain
gate plain --json
status_is 0 'without .git: a warning'
is "$(said)" 'no-repository:project' 'without .git: said once'
is "$(jq -c '[.pending, .base, .database, .errors, .warnings]' <<<"$OUT")" \
	'[["20260101000000_a","20260102000000_b"],null,null,0,1]' 'without .git: every migration is looked at'
like "$ERR" 'no database' 'without a database: it says so'
gate plain --base main
status_is 66 'without .git: a base that is asked for is not found'
gate plain --allow 'no-repository:*' --json
is "$(jq -c '[.warnings, .findings[0].allowed_by]' <<<"$OUT")" '[0,"setting allow"]' 'it can be allowed'

project fresh
git -C fresh init -q
gate fresh --json
status_is 0 'no commit yet: a warning'
is "$(said)" 'no-repository:project' 'no commit yet: said once'
like "$OUT" 'no commit yet' 'no commit yet: named'
gate fresh --base HEAD
status_is 66 'no commit yet: a base is not found'

mkdir home
git -C home init -q
echo x >home/.profile
commit home dotfiles
project home/work/shop
gate home/work/shop --json
is "$(said)" 'no-repository:project' "a repository around the project that is not the project's"
like "$OUT" 'none of its files' 'and why'

project bare
git -C bare init -q --bare .git
gate bare --json
status_is 0 'a bare repository'
is "$(said)" 'no-repository:project' 'is none to compare with'
rm -rf bare/.git
echo 'gitdir: /nowhere' >bare/.git
gate bare --json
status_is 0 'a .git that leads nowhere'
is "$(said)" 'no-repository:project' 'is none either'

# --- HEAD -------------------------------------------------------------------------------------------------
cloned head
gate head --json
status_is 0 'all committed'
is "$(said)/$(jq -c .pending <<<"$OUT")" '/[]' 'all committed: nothing found, nothing pending'
migration head 20260103000000_c 'SELECT 1;'
echo '-- more' >>head/prisma/migrations/20260101000000_a/migration.sql
gate head --json
is "$(said)" 'changed-migration:20260101000000_a uncommitted-migration:20260103000000_c' 'an edit and a new one, in no commit'
is "$(jq -c '[.pending, .findings[0].file, .findings[0].line]' <<<"$OUT")" \
	'[["20260103000000_c"],"prisma/migrations/20260101000000_a/migration.sql",2]' 'the new one is pending; the edit has file and line'
git -C head checkout -q .
rm -r head/prisma/migrations/20260102000000_b head/prisma/migrations/20260103000000_c
gate head --json
is "$(said)" 'deleted-migration:20260102000000_b' 'one that is deleted'
git -C head checkout -q .
mv head/prisma/migrations/20260102000000_b head/prisma/migrations/20260102000000_better
gate head --json
is "$(said)" 'deleted-migration:20260102000000_b uncommitted-migration:20260102000000_better' 'one that is renamed'
like "$OUT" 'has its script as \\"20260102000000_better\\"' 'and to what'
git -C head clean -qfd
git -C head checkout -q .
mkdir head/prisma/migrations/20260104000000_empty
gate head --json
status_is 10 'a new folder without a script is an error'
is "$(said)" 'scriptless-migration:20260104000000_empty' 'and named'
rmdir head/prisma/migrations/20260104000000_empty

sed -i 's/$/\r/' head/prisma/migrations/20260101000000_a/migration.sql
printf '%s\n' '-- migsafe: allow drop-table "X" -- meant' >>head/prisma/migrations/20260102000000_b/migration.sql
gate head --json
is "$(said)" '' 'other line ends and allow lines are no change'
commit head both
git -C head checkout -q HEAD~1 -- prisma
gate head --json
is "$(said)" '' 'nor is it one that they are gone'
git -C head reset -q --hard

git -C head worktree add -q ../tree
gate tree --json
is "$(said)" '' 'a worktree'
migration tree 20260103000000_c 'SELECT 1;'
gate tree --json
is "$(said)" 'uncommitted-migration:20260103000000_c' 'a worktree: its own changes'

git init -q super
git -C super submodule --quiet add "$T/head.origin" app
git -C super commit -qm one
gate super/app --json
is "$(said)" '' 'a submodule'
rm -r super/app/prisma/migrations/20260102000000_b
gate super/app --json
is "$(said)" 'deleted-migration:20260102000000_b' 'a submodule: its own changes'

cloned ignored
git -C ignored rm -rq --cached prisma/migrations
echo prisma/migrations/ >ignored/.gitignore
commit ignored 'no migrations'
gate ignored --json
is "$(said)" 'uncommitted-migration:prisma/migrations' 'a folder that .gitignore leaves out: one finding'
like "$OUT" '.gitignore' 'and why'

if [ "$(id -u)" = 0 ]; then
	chown -R 12345:12345 head
	gate head --json
	is "$(said)" '' "another user's checkout"
fi

# --- a base ---------------------------------------------------------------------------------------------------
cloned branch
migration branch 20260103000000_c 'CREATE TABLE "C" (id int PRIMARY KEY);'
echo 'CREATE TABLE "A" (id bigint PRIMARY KEY);' >branch/prisma/migrations/20260101000000_a/migration.sql
commit branch work
migration branch.origin 20260105000000_theirs 'SELECT 1;'
commit branch.origin theirs
git -C branch fetch -q
gate branch --base origin/main --json
status_is 0 'a base: warnings'
is "$(said)" 'changed-migration:20260101000000_a behind-base:20260103000000_c' 'edited since the base; older than the newest of the base'
is "$(jq -c '[.pending, .base]' <<<"$OUT")" '[["20260103000000_c"],"origin/main"]' 'pending is what the base lacks'
like "$OUT" '20260105000000_theirs' 'the newest of the base is named, and is not taken for deleted here'
git -C branch branch -q -D main
gate branch --base main --json
is "$(said)" 'changed-migration:20260101000000_a behind-base:20260103000000_c' 'a branch that only origin has'
gate branch --base "$(git -C branch rev-parse --short origin/main~1)" --json
is "$(said)" 'changed-migration:20260101000000_a' 'a commit, by the beginning of its id'
gate branch --base nowhere
status_is 66 'a base that there is not'
like "$ERR" 'fetch-depth: 0' 'and what to do'
gate branch --base ''
status_is 64 'an empty base'

run env GITHUB_BASE_REF=main "$MIGSAFE" gate --project branch --json
is "$(jq -r .base <<<"$OUT")" origin/main "GITHUB_BASE_REF, as origin's"
run env CI_MERGE_REQUEST_DIFF_BASE_SHA="$(git -C branch rev-parse origin/main~1)" CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main \
	"$MIGSAFE" gate --project branch --json
is "$(jq -r .base <<<"$OUT")" "$(git -C branch rev-parse origin/main~1)" "GitLab's base commit"
run env CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main "$MIGSAFE" gate --project branch --json
is "$(jq -r .base <<<"$OUT")" origin/main "GitLab's target branch"
run env GITHUB_BASE_REF=nowhere "$MIGSAFE" gate --project branch --json
status_is 0 'a base of the surroundings that is not found: goes on'
is "$(jq -r .base <<<"$OUT")" null 'without a base'
like "$ERR" 'warning: .*nowhere.*fetch-depth' 'with a warning'

git clone -q --depth 1 --no-single-branch "file://$T/branch.origin" shallow
git -C shallow fetch -q --depth 1 "$T/branch" work:work
git -C shallow checkout -q work
gate shallow --base origin/main --json
status_is 0 'a shallow clone'
like "$(said)" '^no-merge-base:origin/main ' 'compared with the tip, which is said'
like "$(said)" 'deleted-migration:20260105000000_theirs' "where what is new there looks deleted here"
git clone -q --depth 1 "file://$T/branch" alone
gate alone --base main
status_is 66 'a shallow clone without the base'
git clone -q --filter=blob:none "file://$T/branch" partial 2>/dev/null
gate partial --base HEAD --json
status_is 0 'a clone without old files'
is "$(said)" '' 'whose files are those of HEAD'

git -C partial config core.repositoryformatversion 1
git -C partial config extensions.partialClone origin
git -C partial config extensions.worktreeConfig true
gate partial --json
is "$(said)" '' 'nor do marks of partial clones and sparse checkouts matter'

# --- formats ----------------------------------------------------------------------------------------------
odd='20260106000000_50%, a:b'
migration branch "$odd" 'SELECT 1;'
mkdir branch/prisma/migrations/20260107000000_empty
gate branch --base main --format text
status_is 10 'text'
like "$OUT" $'^warning: changed-migration: 20260101000000_a: differs from what origin/main has\n    at prisma/migrations/20260101000000_a/migration.sql:1\n    Put it back' \
	'text: level, rule, target, message, place, advice'
is "$(tail -n 1 <<<"$OUT")" 'gate: 1 error, 3 warnings in 3 pending migrations' 'text: the last line counts'
run env -C branch/prisma "$MIGSAFE" gate --project .. --base main --format github
status_is 10 'github'
is "$(sed -n 3p <<<"$OUT")" \
	"::warning file=prisma/migrations/20260106000000_50%25%2C a%3Ab/migration.sql,line=1,title=uncommitted-migration::20260106000000_50%25, a:b: in no commit%0ACommit it, so that what was deployed can be found again." \
	'github: properties and message are escaped'
is "$(sed -n 4p <<<"$OUT")" \
	"::error title=scriptless-migration::20260107000000_empty: has no migration.sql%0ARemove the folder or bring its migration.sql back." \
	'github: an error without a file'
is "$(tail -n 1 <<<"$OUT")" 'gate: 1 error, 3 warnings in 3 pending migrations' 'github: the summary'
gate branch --base main --format github --allow 'scriptless-migration:*'
status_is 0 'github: allowed'
like "$OUT" '::notice title=scriptless-migration::.*%0AAllowed by setting allow\.' 'github: what is allowed is a notice'
mkdir -p mono/apps
cp -R head.origin/prisma head.origin/package.json mono/apps
git -C mono init -q && commit mono one
migration mono/apps 20260103000000_c 'SELECT 1;'
gate mono/apps --format github
like "$OUT" 'file=apps/prisma/migrations/20260103000000_c' 'github: files as seen from the top of the repository'
run env GITHUB_WORKSPACE="$T" "$MIGSAFE" gate --project mono/apps --format github
like "$OUT" 'file=mono/apps/prisma/migrations/20260103000000_c' 'github: or from the workspace that holds it'
run env GITHUB_WORKSPACE="$T/head" "$MIGSAFE" gate --project mono/apps --format github
like "$OUT" 'file=apps/prisma/migrations/20260103000000_c' 'github: not from one that does not'
gate branch --format jsonn
status_is 64 'a format that there is not'
gate branch --json --format github
status_is 64 '--json with another format'
gate branch --format json --base nowhere
is "$(jq -r .error.kind <<<"$OUT")" not-found 'json: errors too'
gate "$T/nothing"
status_is 66 'no project'

# --- the rules are those of the docs -------------------------------------------------------------------------
run "$MIGSAFE" gate --list
status_is 0 '--list'
is "$OUT" "$(sed -n '/^| rule/,/^$/p' "$ROOT/docs/GATE.md")" 'docs/GATE.md has the same table'

# --- a database that does not answer ---------------------------------------------------------------------------
gate branch --url 'postgresql://u@127.0.0.1:1/x'
status_is 69 'a database that is configured and does not answer'

# --- what earlier migrations tell of types ----------------------------------------------------------
cloned types
migration types 20260103000000_c 'ALTER TABLE "A" ADD COLUMN "name" text;'
commit types c
migration types 20260104000000_d 'ALTER TABLE "A" DROP COLUMN "name", ADD COLUMN "full" text;'
commit types d
gate types --base HEAD~1 --json
is "$(said)" 'renamed-column:public.A.name' 'a rename is told from a loss by what earlier migrations say'

done_testing
