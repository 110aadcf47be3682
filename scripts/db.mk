# db.mk - make targets for the database of a Prisma project; `make db-help` lists them, docs/MAKE.md explains.
#
#   PROJECT := applications/backend
#   MIGSAFE := docker compose run --rm -T migrate
#   include scripts/db.mk
#
# Variables are set before the include, on make's command line or in the environment. Names of this file's own
# begin with migsafe_db_; the default goal, SHELL and the like stay those of the including Makefile.

PROJECT        ?= .
SCHEMA         ?=
MIGSAFE        ?= migsafe
COMPOSE        ?= docker compose
DB_SERVICE     ?= postgres
DEV_SERVICE    ?=
PROD_SERVICE   ?=
PROD_ENV_FILE  ?=
MIGRATION_NAME ?=
BACKUP_FILE    ?=
NO_BACKUP      ?=
YES            ?=

migsafe_db_goal    := $(.DEFAULT_GOAL)
migsafe_db_prefix  := $(value .RECIPEPREFIX)
.RECIPEPREFIX      :=
migsafe_db_targets := db-migrate db-migrate-dev db-migrate-prod db-migrate-create db-migrate-status db-migrate-reset \
	db-generate db-push db-pull db-studio db-studio-prod db-seed db-backup db-restore \
	dev-shell dev-shell-prod dev-shell-db db-help
.PHONY: $(migsafe_db_targets)

# However the including Makefile has set them: each recipe below is one line for a POSIX shell.
$(migsafe_db_targets): SHELL := /bin/sh
$(migsafe_db_targets): .SHELLFLAGS := -c

# A value as one word of the shell.
migsafe_db_word = '$(subst ','\'',$(1))'
migsafe_db_is   = $(if $(filter 1 yes true,$(1)),1)
migsafe_db_env  = $(if $(filter undefined,$(origin NODE_ENV)),,$(NODE_ENV))

# What recipes begin with. MIGSAFE and COMPOSE are split on blanks, nothing more is made of them. A migsafe in a
# container does not get PROJECT and SCHEMA: the folders are others there.
define migsafe_db_start
project=$(call migsafe_db_word,$(or $(PROJECT),.)); schema=$(call migsafe_db_word,$(SCHEMA)); \
	node_env=$(call migsafe_db_word,$(migsafe_db_env)); yes=$(call migsafe_db_is,$(YES)); \
	say() { printf '%s: %s\n' '$@' "$$1"; }; \
	die() { printf '%s: %s\n' '$@' "$$2" >&2; exit "$$1"; }; \
	migsafe() { (words=$(call migsafe_db_word,$(or $(strip $(MIGSAFE)),migsafe)); set -f; \
		[ "$$project" = . ] || export MIGSAFE_PROJECT="$$project"; \
		case $$schema in '') ;; /*) export MIGSAFE_SCHEMA="$$schema" ;; *) export MIGSAFE_SCHEMA="$$project/$$schema" ;; esac; \
		exec $$words "$$@"); }; \
	prisma() { (cd "$$project" || exit 71; exec npx --no-install prisma "$$@" $${schema:+--schema "$$schema"}); }; \
	compose() { (words=$(call migsafe_db_word,$(COMPOSE)); set -f; exec $$words "$$@"); }; \
	not_production() { case $$node_env in \
		[Pp][Rr][Oo][Dd]*) die 64 "NODE_ENV is $$node_env: $$1" ;; \
		'') ! grep -Eqs '^[[:blank:]]*(export[[:blank:]]+)?NODE_ENV[[:blank:]]*=[[:blank:]]*["'\'']?[Pp][Rr][Oo][Dd]' .env "$$project/.env" || \
			die 64 ".env says that NODE_ENV is production: $$1" ;; \
		esac; }; \
	backup_first() { [ -n '$(call migsafe_db_is,$(NO_BACKUP))' ] || \
		migsafe backup --reason manual --label 'before make $@' || \
		die $$? 'without a backup nothing is done; NO_BACKUP=1 goes on without one'; }
endef

db-migrate: $(if $(filter production,$(migsafe_db_env)),db-migrate-prod,db-migrate-dev)

db-migrate-dev:
	@$(migsafe_db_start); \
	not_production 'use db-migrate-prod'; \
	[ -n "$$node_env" ] || say 'NODE_ENV is not set: development'; \
	backup_first; name=$(call migsafe_db_word,$(MIGRATION_NAME)); \
	prisma migrate dev $${name:+--name "$$name"}

db-migrate-prod:
	@$(migsafe_db_start); migsafe deploy

db-migrate-create:
	@$(migsafe_db_start); name=$(call migsafe_db_word,$(MIGRATION_NAME)); \
	[ -n "$$name" ] || die 64 'MIGRATION_NAME=add_user_table names the migration'; \
	not_production 'migrations are made in development'; \
	prisma migrate dev --create-only --name "$$name"

db-migrate-status:
	@$(migsafe_db_start); migsafe status

# Both programs are asked which database is theirs: a backup of one is no help when the other is emptied.
db-migrate-reset:
	@$(migsafe_db_start); \
	not_production 'a production database is not reset'; \
	status=$$(migsafe status) || die $$? 'migsafe cannot tell the state of the database, nothing is done'; \
	ours=$$(printf '%s\n' "$$status" | tr -d '\r' | sed -n 's/^database: *\(.*\), PostgreSQL .*/\1/p' | head -n 1); \
	theirs=$$(NO_COLOR=1 prisma migrate status 2>&1 | \
		sed -n 's/^Datasource "[^"]*": PostgreSQL database "\([^"]*\)"\(.* at "\([^"]*\)"\)\{0,1\}.*/\1 at \3/p' | head -n 1); \
	name=$${ours% at *}; \
	[ -n "$$ours" ] && [ "$$name" = "$${theirs% at *}" ] || \
		die 64 "migsafe is set to database \"$$ours\", Prisma to \"$$theirs\": nothing is done"; \
	say "migsafe would back up $$ours, Prisma would empty $$theirs"; \
	if [ -z "$$yes" ]; then \
		(: </dev/tty) 2>/dev/null || die 64 'there is no terminal to ask on; YES=1 goes on without asking'; \
		printf 'All data in "%s" is removed. Type its name to go on: ' "$$name" >/dev/tty; \
		IFS= read -r answer </dev/tty && [ "$$answer" = "$$name" ] || die 64 'that is not its name, nothing is done'; \
	fi; \
	backup_first; prisma migrate reset --force

db-generate:
	@$(migsafe_db_start); prisma generate

db-push:
	@$(migsafe_db_start); not_production 'a production schema changes by migrations'; \
	backup_first; prisma db push

db-pull:
	@$(migsafe_db_start); prisma db pull

db-studio:
	@$(migsafe_db_start); prisma studio

# The file is read, not run: NAME=VALUE, quotes around the value, no expansion. It beats the environment.
db-studio-prod:
	@$(migsafe_db_start); file=$(call migsafe_db_word,$(PROD_ENV_FILE)); \
	if [ -n "$$file" ]; then \
		[ -f "$$file" ] && [ -r "$$file" ] || die 66 "cannot read PROD_ENV_FILE \"$$file\""; \
		variable='^[[:blank:]]*\(export[[:blank:]][[:blank:]]*\)\{0,1\}'; \
		for name in $$(sed -n "s/$$variable"'\([A-Za-z_][A-Za-z0-9_]*\)[[:blank:]]*=.*/\2/p' "$$file"); do \
			value=$$(tr -d '\r' <"$$file" | sed -n "s/$$variable$$name[[:blank:]]*=[[:blank:]]*//p" | tail -n 1 | \
				sed -e 's/^"\([^"]*\)".*/\1/;t' -e "s/^'\([^']*\)'.*/\1/;t" -e 's/[[:blank:]]*$$//' -e 's/[[:blank:]]#.*//'); \
			export "$$name=$$value"; \
		done; \
	elif [ "$$node_env" != production ]; then \
		die 64 'PROD_ENV_FILE=.env.production names the file with the DATABASE_URL of production'; \
	fi; \
	[ -n "$${DATABASE_URL-}" ] || die 78 "there is no DATABASE_URL in $${file:-the environment}"; \
	where=$$(printf '%s\n' "$$DATABASE_URL" | \
		sed -n 's|^postgres[a-z]*://\(.*@\)\{0,1\}\([^/?@]*\)/\([^?]*\).*|database "\3" at \2|p'); \
	say "PRODUCTION, $${where:-a URL that names no database}"; \
	export NODE_ENV=production; prisma studio

db-seed:
	@$(migsafe_db_start); [ -n "$$yes" ] || not_production 'YES=1 seeds it all the same'; \
	prisma db seed

# Through standard output: in a container migsafe cannot write here, and here there may be no pg_restore.
db-backup:
	@$(migsafe_db_start); \
	made=$$(migsafe backup --reason manual --label 'make db-backup') || exit $$?; \
	printf '%s\n' "$$made"; \
	id=$$(printf '%s\n' "$$made" | tr -d '\r' | \
		sed -n 's/^\([a-z0-9_]*_[0-9]\{8\}_[0-9]\{6\}_full\(_[0-9]*\)\{0,1\}\) .*/\1/p' | tail -n 1); \
	[ -n "$$id" ] || die 74 'migsafe did not say which full backup it made'; \
	file=$$(printf 'backup_%s.sql' "$$id" | sed 's/backup_.*_\([0-9]\{8\}_[0-9]\{6\}\)_full/backup_\1/'); \
	[ ! -e "$$file" ] || die 71 "$$file exists already"; \
	umask 077; aside=.$$file.$$$$.partial; trap 'rm -f "$$aside"' EXIT; trap 'exit 130' INT TERM HUP; \
	migsafe export "$$id" </dev/null >"$$aside" || die $$? "the backup is there, but could not be written to $$file"; \
	[ -s "$$aside" ] && ! head -n 1 "$$aside" | grep -q "$$(printf '\r')" || \
		die 74 'what came was changed on its way through a terminal: put -T into MIGSAFE (docker compose run --rm -T ...)'; \
	mv "$$aside" "$$file" && printf '%s\n' "$$file"

# On standard input: a container cannot see a file of this folder.
db-restore:
	@$(migsafe_db_start); file=$(call migsafe_db_word,$(BACKUP_FILE)); \
	[ -n "$$file" ] || die 64 'BACKUP_FILE=backup_20241201_143022.sql names a file, or the id of a backup'; \
	if printf '%s\n' "$$file" | grep -Eqx '[a-z0-9_]+_[0-9]{8}_[0-9]{6}_(full|data)(_[0-9]+)?'; then \
		migsafe restore "$$file" $${yes:+--yes}; \
	else \
		[ -e "$$file" ] || die 66 "there is no file \"$$file\""; \
		[ -f "$$file" ] && [ -r "$$file" ] || die 66 "\"$$file\" is no file that can be read"; \
		migsafe restore - $${yes:+--yes} <"$$file"; \
	fi

dev-shell:
	@$(migsafe_db_start); service=$(call migsafe_db_word,$(DEV_SERVICE)); \
	[ -n "$$service" ] || die 64 'DEV_SERVICE=backend names the service of the development backend'; \
	compose exec "$$service" sh

dev-shell-prod:
	@$(migsafe_db_start); service=$(call migsafe_db_word,$(PROD_SERVICE)); \
	[ -n "$$service" ] || die 64 'PROD_SERVICE=backend-prod names the service of the production backend'; \
	compose exec "$$service" sh

# User and database are what the image of PostgreSQL was started with.
dev-shell-db:
	@$(migsafe_db_start); service=$(call migsafe_db_word,$(DB_SERVICE)); \
	[ -n "$$service" ] || die 64 'DB_SERVICE=postgres names the service of the database'; \
	compose exec "$$service" sh -c \
		'exec psql -U "$${POSTGRES_USER:-postgres}" -d "$${POSTGRES_DB:-$${POSTGRES_USER:-postgres}}"'

db-help:
	@printf '  %-18s %s\n' \
		db-migrate 'apply migrations: db-migrate-prod when NODE_ENV is production, else db-migrate-dev' \
		db-migrate-dev 'back up, then prisma migrate dev' \
		db-migrate-prod 'migsafe deploy: backup, migrations, checks, and back by itself when one fails' \
		db-migrate-create 'make a migration without applying it; MIGRATION_NAME=' \
		db-migrate-status 'what is applied, pending, failed' \
		db-migrate-reset 'back up, then empty the development database and apply all migrations; asks' \
		db-generate 'generate the Prisma client' \
		db-push 'back up, then bring the schema into the database without a migration' \
		db-pull 'write the schema of the database into schema.prisma' \
		db-studio 'Prisma Studio' \
		db-studio-prod 'Prisma Studio on production; PROD_ENV_FILE=' \
		db-seed 'fill the database with the seed of the project' \
		db-backup 'back up, and write backup_YYYYMMDD_HHMMSS.sql here' \
		db-restore 'restore a file or the id of a backup beside the database, and swap; BACKUP_FILE=, asks' \
		dev-shell 'a shell in the development backend; DEV_SERVICE=' \
		dev-shell-prod 'a shell in the production backend; PROD_SERVICE=' \
		dev-shell-db 'psql in the container of the database; DB_SERVICE=' \
		db-help 'this list'

.RECIPEPREFIX := $(migsafe_db_prefix)
.DEFAULT_GOAL := $(migsafe_db_goal)
