#!/usr/bin/env bash
# The make targets: what they run, in which order, on which database; that nothing happens without what
# they need; and that the Makefile which includes them stays as it is. Commands of Prisma that change a
# development database are recorded, not run: here the shadow database would be the live one.
# shellcheck disable=SC2016,SC2317 # Makefiles have dollars of their own; what traps call is reachable
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"

for name in MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL MAKEFILES MIGSAFE_ARGS NODE_ENV PROJECT PROJECT_DIR SCHEMA COMPOSE DB_SERVICE \
	DEV_SERVICE PROD_SERVICE PROD_ENV_FILE MIGRATION_NAME BACKUP_FILE NO_BACKUP YES NO_COLOR; do
	unset "$name"
done

need_server
npm_cache "$ROOT/fixtures/app" >/dev/null || skip_all "no npm packages here"
PROGRAM=$MIGSAFE
unset MIGSAFE # an environment that has it would not be what most users have
mkdir "$T/bin" "$T/box"
CALLS=$T/calls
PATH=$T/bin:$PATH
export CALLS PROGRAM

cat >"$T/bin/migsafe" <<'END'
#!/usr/bin/env bash
printf 'migsafe %s\n' "$*" >>"$CALLS"
exec "$PROGRAM" "$@"
END
cat >"$T/bin/npx" <<'END'
#!/usr/bin/env bash
printf '%s: npx %s\n' "${PWD##*/}" "$*" >>"$CALLS"
printf '%s %s\n' "${NODE_ENV-none}" "${DATABASE_URL-none}" >"$CALLS.environment"
if [ "$*" = '--no-install prisma migrate status' ] && [ -n "${SAYS-}" ]; then
	printf 'Prisma schema loaded\nDatasource "db": PostgreSQL database "%s", schema "public" at "localhost:5432"\n' "$SAYS"
fi
exit "${NPX_STATUS-0}"
END
cat >"$T/bin/docker" <<'END'
#!/usr/bin/env bash
printf 'docker'  >>"$CALLS"
printf ' <%s>' "$@" >>"$CALLS"
printf '\n' >>"$CALLS"
END
# Like a container: another folder, an environment of its own, and none of the caller's files.
cat >"$T/bin/box" <<'END'
#!/usr/bin/env bash
[ "$1 $2 $3" = 'run --rm migrate' ] || exit 98
for word in "${@:4}"; do
	[ "$word" = - ] || [ ! -e "$word" ] || { printf 'a file of the host: %s\n' "$word" >&2; exit 99; }
	case $word in */*) printf 'a path of the host: %s\n' "$word" >&2 && exit 99 ;; esac
done
exec env -i -C "$BOX" PATH="$PATH" DATABASE_URL="$BOX_URL" MIGSAFE_BACKUP_DIR="$BOX/backups" \
	MIGSAFE_PROJECT="$APP" "$PROGRAM" "${@:4}"
END
chmod +x "$T"/bin/*

shop_base
shop_new shop
LIVE=$(db_name shop)
URL=$(db_url shop owner)
SITE=$T/site
mkdir "$SITE"
mv "$APP" "$SITE/the shop"
APP="$SITE/the shop"
export APP BOX=$T/box BOX_URL=$URL
cp "$ROOT/scripts/db.mk" "$SITE/db.mk"
printf 'PROJECT ?= the shop\ninclude db.mk\n' >"$SITE/Makefile"

mk() { # ARGUMENT...: make in the site, with the database of the shop; calls are recorded anew
	: >"$CALLS"
	rm -f "$CALLS.environment"
	run setsid -w env -C "$SITE" DATABASE_URL="$URL" MIGSAFE_BACKUP_DIR="$BACKUPS" make --no-print-directory "$@"
}

calls() { cat "$CALLS"; }
one_line() { # NAME: make's own line aside, standard error has one
	is "$(grep -vc '^make: ' <<<"$ERR")" 1 "$1" || diag "$ERR"
}
id_of() { # KIND -> of the newest backup
	find "$BACKUPS" -maxdepth 1 -name "*_$1" -printf '%f\n' | sort | tail -n 1
}
BACKUP_CALL="migsafe backup --reason manual --label before make"

# --- the including Makefile --------------------------------------------------------------------------

cat >"$SITE/own.mk" <<'END'
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.RECIPEPREFIX = >
.ONESHELL:
PROJECT := the shop
MAKEFLAGS += --warn-undefined-variables
before := $(.VARIABLES)
include db.mk
new := $(filter-out $(before) before,$(.VARIABLES))
first:
>@[[ $(SHELL) == /bin/bash ]] && echo "first: $(.SHELLFLAGS) $(.RECIPEPREFIX) $(PROJECT)"
>echo "new: $(filter-out migsafe_db_%,$(new))"
END
mk -s -f own.mk
status_is 0 "a Makefile that includes the targets works"
like "$OUT" '^first: -eu -o pipefail -c > the shop' "and its default goal, shell and prefix are its own"
is "$(sed -n 's/^new: //p' <<<"$OUT" | tr ' ' '\n' | LC_ALL=C sort | tr '\n' ' ')" \
	"BACKUP_FILE COMPOSE DB_SERVICE DEV_SERVICE MIGRATION_NAME MIGSAFE NO_BACKUP PROD_ENV_FILE PROD_SERVICE SCHEMA YES " \
	"nothing is defined but what is documented"
is "$ERR" "" "without a warning"
mk -f own.mk db-generate
is "$RC: $(calls)" "0: the shop: npx --no-install prisma generate" "the targets work below another shell and prefix"
is "$ERR" "" "without a warning"
mk -f own.mk db-migrate-create
like "$ERR" 'Error 64' "and fail there"

mk
isnt "$RC" 0 "alone they have no default goal"
is "$(calls)" "" "and nothing is run"

targets=$(make -s -C "$SITE" -f - <<<$'include db.mk\nx:; @echo $(migsafe_db_targets)')
mk db-help
status_is 0 "db-help"
is "$(awk '{ print $1 }' <<<"$OUT" | tr '\n' ' ')" "$targets " "tells every target"
is "$(sed -n 's/^| `\([a-z-]*\)` |.*/\1/p' "$ROOT/docs/MAKE.md" | grep -E '^(db|dev)-' | LC_ALL=C sort)" \
	"$(tr ' ' '\n' <<<"$targets" | LC_ALL=C sort)" "and so does docs/MAKE.md"

# --- passed on to Prisma -----------------------------------------------------------------------------

passes_on() { # WANT ARGUMENT...: one call of Prisma in the project
	local want=$1
	shift
	mk "$@"
	is "$RC: $(calls)" "0: the shop: npx --no-install prisma $want" "make $*"
}
passes_on 'generate' db-generate
passes_on 'db pull' db-pull
passes_on 'studio' db-studio
passes_on 'db seed' db-seed
passes_on 'generate --schema prisma/schema.prisma' db-generate SCHEMA=prisma/schema.prisma
passes_on 'migrate dev --create-only --name add_user_table' db-migrate-create MIGRATION_NAME=add_user_table
passes_on "migrate dev --create-only --name it's; touch \`hurt\`" db-migrate-create "MIGRATION_NAME=it's; touch \`hurt\`"
[ ! -e "$APP/hurt" ] && [ ! -e "$SITE/hurt" ]
ok $? "a name is a word, no command"

mk db-migrate-create
like "$ERR" '^db-migrate-create: MIGRATION_NAME=.*Error 64' "db-migrate-create needs a name, says status 64"
one_line "in one line"
is "$(calls)" "" "and runs nothing without"

mk db-generate PROJECT=elsewhere
isnt "$RC" 0 "a project that is not there"
is "$(calls)" "" "is not replaced by another"
NPX_STATUS=3 mk db-generate
like "$ERR" 'Error 3$' "Prisma's status is shown"

# --- development: a backup first -----------------------------------------------------------------------

with_backup() { # WANT-PRISMA TARGET ARGUMENT...
	local want=$1 target=$2
	shift 2
	mk "$target" "$@"
	is "$RC: $(calls)" "0: $BACKUP_CALL $target
the shop: npx --no-install prisma $want" "make $target $*: a backup, then prisma $want"
}
with_backup 'migrate dev' db-migrate-dev
like "$OUT" 'NODE_ENV is not set: development' "the profile is said where nothing names it"
[ -n "$(id_of full)" ] && [ -n "$(id_of data)" ]
ok $? "the backup is of both kinds"
with_backup 'migrate dev --name add_x' db-migrate-dev MIGRATION_NAME=add_x
with_backup 'db push' db-push
with_backup 'db push --schema prisma/schema.prisma' db-push SCHEMA=prisma/schema.prisma

for target in db-migrate-dev db-push; do
	URL=$(db_url nowhere owner) mk "$target"
	like "$ERR" "$target: without a backup nothing is done" "$target: no backup, nothing done"
	unlike "$(calls)" 'npx' "Prisma is not run"
	URL=$(db_url nowhere owner) mk "$target" NO_BACKUP=1
	unlike "$RC: $(calls)" 'migsafe' "$target NO_BACKUP=1 goes on without"
done

# --- profiles --------------------------------------------------------------------------------------------

mk db-migrate
like "$RC: $(calls)" '^0: migsafe backup.*prisma migrate dev$' "db-migrate without NODE_ENV: development"
like "$OUT" 'NODE_ENV is not set: development' "said"
mk db-migrate NODE_ENV=test
like "$RC: $(calls)" '^0: migsafe backup.*prisma migrate dev$' "db-migrate with another NODE_ENV: development"
NODE_ENV=production mk db-migrate
is "$RC: $(calls)" "0: migsafe deploy" "db-migrate with NODE_ENV=production in the environment: production"
mk db-migrate NODE_ENV=production
is "$RC: $(calls)" "0: migsafe deploy" "and on the command line"

refused() { # WHY TARGET ARGUMENT...: nothing is run
	local why=$1
	shift
	mk "$@"
	like "$ERR" "$why.*Error 64" "make $*: refused"
	is "$(grep -E 'npx|backup|restore|deploy' "$CALLS")" "" "before anything is run"
}
for target in db-migrate-dev db-push db-migrate-reset db-seed 'db-migrate-create MIGRATION_NAME=x'; do
	# shellcheck disable=SC2086 # two words
	NODE_ENV=production refused "NODE_ENV is production" $target
done
refused "NODE_ENV is production" db-migrate-reset NODE_ENV=production YES=1
refused "NODE_ENV is prod" db-migrate NODE_ENV=prod
NODE_ENV=production mk db-seed YES=1
is "$RC: $(calls)" "0: the shop: npx --no-install prisma db seed" "db-seed YES=1 seeds production"
for file in "$SITE/.env" "$APP/.env"; do
	printf 'PORT=1\nexport NODE_ENV = "production"\n' >"$file"
	refused ".env says that NODE_ENV is production" db-migrate
	refused ".env says that NODE_ENV is production" db-migrate-reset YES=1
	NODE_ENV=development mk db-push
	status_is 0 "the environment says otherwise: it counts"
	rm "$file"
done

# --- reset ---------------------------------------------------------------------------------------------------

export SAYS=$LIVE
before=$(state_of shop | sha256sum)
CALLS_RESET="migsafe status
the shop: npx --no-install prisma migrate status"
mk db-migrate-reset
like "$ERR" 'no terminal to ask on.*Error 64' "db-migrate-reset without a terminal is refused"
is "$(calls)" "$CALLS_RESET" "after asking both programs for their database, and nothing more"
mk db-migrate-reset YES=1
is "$RC: $(calls)" "0: $CALLS_RESET
$BACKUP_CALL db-migrate-reset
the shop: npx --no-install prisma migrate reset --force" "YES=1: a backup, then prisma migrate reset"
like "$OUT" "would back up $LIVE at $TEST_PGHOST:5432, Prisma would empty $LIVE at localhost:5432" "both databases are said"

on_terminal() { # ANSWER
	: >"$CALLS"
	run script -qec "env -C '$SITE' DATABASE_URL='$URL' MIGSAFE_BACKUP_DIR='$BACKUPS' make db-migrate-reset" /dev/null <<<"$1"
}
on_terminal "$LIVE"
is "$RC: $(tail -n 1 "$CALLS")" "0: the shop: npx --no-install prisma migrate reset --force" "the name on a terminal: reset"
on_terminal yes
isnt "$RC" 0 "another answer is refused"
is "$(calls)" "$CALLS_RESET" "and nothing is done"

SAYS=other mk db-migrate-reset YES=1
like "$ERR" "migsafe is set to database \"$LIVE at .*, Prisma to \"other at .*Error 64" \
	"migsafe and Prisma on different databases: refused"
is "$(calls)" "$CALLS_RESET" "before anything is done"
SAYS='' mk db-migrate-reset YES=1
like "$ERR" 'Prisma to "": nothing is done' "Prisma that does not tell its database: refused"
URL=$(db_url nowhere owner) mk db-migrate-reset YES=1
like "$ERR" 'migsafe cannot tell the state of the database.*Error 69' "migsafe that cannot connect: refused"
is "$(calls)" "migsafe status" "before anything is done"
is "$(state_of shop | sha256sum)" "$before" "the database is what it was"

# --- studio on production ---------------------------------------------------------------------------------------

mk db-studio-prod
like "$ERR" '^db-studio-prod: PROD_ENV_FILE=.*Error 64' "db-studio-prod has no default"
mk db-studio-prod PROD_ENV_FILE=nothing
like "$ERR" 'cannot read PROD_ENV_FILE "nothing".*Error 66' "a file that is not there"
printf '# DATABASE_URL=postgres://x@wrong/wrong\nexport DATABASE_URL = "postgresql://app:s%%40e#c$HOME@db.example:5433/shop_prod?schema=a" # it\r\nA=b\n' >"$SITE/.env production"
mk db-studio-prod 'PROD_ENV_FILE=.env production'
is "$RC: $(calls)" "0: the shop: npx --no-install prisma studio" "db-studio-prod opens the studio"
like "$OUT" 'PRODUCTION, database "shop_prod" at db.example:5433$' "says on which database"
unlike "$OUT$ERR" 's%40e' "without the password"
is "$(cat "$CALLS.environment")" 'production postgresql://app:s%40e#c$HOME@db.example:5433/shop_prod?schema=a' \
	"with production's environment, as it stands in the file"
printf 'A=b\n' >"$SITE/.env production"
run env -C "$SITE" make db-studio-prod 'PROD_ENV_FILE=.env production'
like "$ERR" 'there is no DATABASE_URL in .env production' "a file without DATABASE_URL"
NODE_ENV=production mk db-studio-prod
like "$OUT" "PRODUCTION, database \"$LIVE\" at localhost" "NODE_ENV=production: the environment's database"

# --- containers ---------------------------------------------------------------------------------------------------

mk dev-shell DEV_SERVICE=backend
is "$RC: $(calls)" "0: docker <compose> <exec> <backend> <sh>" "dev-shell"
mk dev-shell-prod PROD_SERVICE=backend-prod COMPOSE='docker compose -f prod.yml'
is "$RC: $(calls)" "0: docker <compose> <-f> <prod.yml> <exec> <backend-prod> <sh>" "dev-shell-prod"
mk dev-shell-db
like "$RC: $(calls)" '^0: docker <compose> <exec> <postgres> <sh> <-c> <exec psql -U "\$\{POSTGRES_USER:-postgres\}" -d' "dev-shell-db"
for target in dev-shell:DEV_SERVICE dev-shell-prod:PROD_SERVICE; do
	mk "${target%:*}"
	like "$RC$ERR" "^2${target%:*}: ${target#*:}=.*Error 64" "${target%:*} has no default"
	is "$(calls)" "" "and runs nothing"
done

# --- migsafe: the real one, on a real database -----------------------------------------------------------------------

mk db-migrate-status
status_is 0 "db-migrate-status"
like "$OUT" "database: +$LIVE at" "tells the database"
app_migration "$APP" good_add_column
mk db-migrate-prod
status_is 0 "db-migrate-prod deploys a good migration"
is "$(sql_as owner shop "SELECT count(*) FROM _prisma_migrations WHERE migration_name LIKE '2027%' AND finished_at IS NOT NULL")" \
	1 "it is applied"
app_migration "$APP" fail_halfway
state_of shop >"$T/before"
MIGRATION_SCRIPT="split" mk db-migrate-prod
like "$RC$ERR" '^2.*Error 20' "db-migrate-prod with a failing one: the status of migsafe is shown"
unchanged_since "$T/before" shop "and the database is what it was"
app_forget "$APP" fail_halfway

mk db-backup
status_is 0 "db-backup"
file=$(cd "$SITE" && echo backup_*.sql)
like "$file" '^backup_[0-9]{8}_[0-9]{6}\.sql$' "leaves one file of the brief's form"
is "$(tail -n 1 <<<"$OUT")" "$file" "and tells its name last"
stamp=${file#backup_}
stamp=${stamp%.sql}
is "$(id_of full | sed -E "s/.*_([0-9]{8}_[0-9]{6})_full/\1/") $(id_of data | sed -E "s/.*_([0-9]{8}_[0-9]{6})_data/\1/")" \
	"$stamp $stamp" "of the moment of both backups"
is "$(stat -c %a "$SITE/$file")" 600 "readable by its owner alone"
is "$(find "$SITE" -name '*.partial')" "" "nothing else is left"
db_create copy owner
psql_as owner copy -f "$SITE/$file" >"$T/psql.log" 2>&1
ok $? "psql takes it" || diag "$(tail -n 3 "$T/psql.log")"
state_of copy >"$T/copy"
diff "$T/before" "$T/copy" >"$T/diff"
ok $? "and the database of it equals the live one" || diag "$(head -n 20 "$T/diff")"

hurt() { sql_as owner shop 'DELETE FROM "OrderItem"; CREATE TABLE later (a int)'; }
drop_kept() {
	while IFS= read -r db; do db_drop "$db"; done < <(sql postgres "SELECT datname FROM pg_database WHERE datname LIKE '$LIVE\_\_migsafe%'")
}
restored() { # NAME: the database is as before, and the replaced one is kept; which is dropped here
	unchanged_since "$T/before" shop "$1: the database is what was backed up"
	is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$LIVE\_\_migsafe\_kept%'")" 1 "$1: the replaced one is kept"
	drop_kept
}
drop_kept # of the failed deploy
hurt
mk db-restore BACKUP_FILE="$(id_of full)"
like "$RC$ERR" '^2.*Error 64' "db-restore without a terminal and without YES is refused"
mk db-restore BACKUP_FILE="$(id_of full)" YES=1
status_is 0 "db-restore of a backup's id"
restored "an id"
mv "$SITE/$file" "$SITE/a \`file\`'s.sql"
hurt
mk db-restore "BACKUP_FILE=a \`file\`'s.sql"
like "$RC$ERR" '^2.*Error 64' "a file is not restored unasked either"
mk db-restore "BACKUP_FILE=a \`file\`'s.sql" YES=1
status_is 0 "db-restore of a file with blanks and quotes in its name"
restored "a file"

# --- bad files -------------------------------------------------------------------------------------------------------------

state_of shop >"$T/before"
mkdir "$SITE/folder.sql"
printf 'no SQL at all\n' >"$SITE/words.sql"
: >"$SITE/empty.sql"
head -c 3000 "$SITE/a \`file\`'s.sql" >"$SITE/cut.sql"
printf 'CREATE TABLE a (b int);\n\\connect postgres\nCREATE TABLE a (b int);\n' >"$SITE/connect.sql"
databases=$(db_list)
bad() { # STATUS FILE
	mk db-restore BACKUP_FILE="$2" YES=1
	like "$RC$ERR" "^2.*Error $1\$" "db-restore of ${2:-nothing}: status $1"
}
bad 64 ''
one_line "one line"
is "$(calls)" "" "migsafe is not run"
bad 66 missing.sql
one_line "one line"
is "$(calls)" "" "migsafe is not run"
bad 66 folder.sql
one_line "one line"
is "$(calls)" "" "migsafe is not run"
bad 66 "${LIVE}_20010101_000000_full"
for name in words empty cut connect; do bad 76 "$name.sql"; done
unchanged_since "$T/before" shop "nothing was done by any of them"
is "$(db_list)" "$databases" "no database is left"

# --- migsafe in a box: standard input and output are the only way --------------------------------------------------------------

BOXED=(MIGSAFE='box run --rm migrate')
rm -f "$SITE"/backup_*.sql
URL=postgresql://nobody@nowhere.invalid/nothing # what the host has is not what the box has
mk db-backup "${BOXED[@]}"
status_is 0 "db-backup through a box"
file=$(cd "$SITE" && echo backup_*.sql)
like "$(head -n 3 "$SITE/$file")" 'PostgreSQL database dump' "the file came through"
hurt
mk db-restore "${BOXED[@]}" BACKUP_FILE="$file" YES=1
status_is 0 "db-restore through a box"
restored "through a box"
mk db-migrate-status "${BOXED[@]}"
status_is 0 "db-migrate-status through a box"
cat >"$T/bin/terminal" <<'END'
#!/usr/bin/env bash
if [ "$1" = export ]; then box run --rm migrate "$@" | sed 's/$/\r/'; else exec box run --rm migrate "$@"; fi
END
chmod +x "$T/bin/terminal"
rm -f "$SITE"/backup_*.sql
mk db-backup MIGSAFE=terminal
like "$ERR" 'put -T into MIGSAFE.*Error 74' "a dump that came through a terminal is noticed"
is "$(find "$SITE" -name '*backup_*')" "" "and not kept"
mk db-backup MIGSAFE='no-such-program'
like "$RC$ERR" '^2.*no-such-program.*Error 127' "a MIGSAFE that is not there"

done_testing
