# A project to deploy with deploy.sh: the fixture application, its containers in the recorder
# tests/ways/bin/docker, migsafe with its calls in the same log. Sourced after tests/deploy/app.sh.
# shellcheck shell=bash

export RECORDER=$T/recorder RECORDER_MIGSAFE=$MIGSAFE

# project_base: shop_base, with deploy.sh and a compose file; PATH finds the recorder.
project_base() {
	shop_base
	cp "$ROOT/deploy.sh" "$APP/"
	printf 'services: {db: {}, web: {}, worker: {}}\n' >"$APP/docker-compose.yml"
	export RECORDER_PROJECT=$APP
	mkdir -p "$T/bin"
	ln -s "$ROOT/tests/ways/bin/docker" "$T/bin/docker"
	cat >"$T/bin/migsafe" <<-'END'
		#!/usr/bin/env bash
		printf 'migsafe %s\n' "$*" >>"$RECORDER/log"
		exec "$RECORDER_MIGSAFE" "$@"
	END
	chmod +x "$T/bin/migsafe"
	PATH=$T/bin:$PATH
}

# project_new NAME: a database of its own, and containers of db, web and worker at work on image 1.
project_new() {
	shop_new "$1"
	PROJECT_DB=$1
	rm -rf "$RECORDER"
	mkdir -p "$RECORDER/c" "$RECORDER/images"
	printf '%s\n' db web worker >"$RECORDER/services"
	printf '%s 1 running 0\n' db >"$RECORDER/c/old-db"
	printf '%s 1 running 0\n' web >"$RECORDER/c/old-web"
	printf '%s 1 running 0\n' worker >"$RECORDER/c/old-worker"
	containers >"$T/containers"
}

# deploy_sh [NAME=VALUE...] [OPTION...]: run as its user does, but from another folder.
deploy_sh() {
	local variables=()
	while [[ ${1-} =~ ^[A-Za-z_]+= ]]; do variables+=("$1") && shift; done
	run env -C "$T" DATABASE_URL="$(db_url "$PROJECT_DB" owner)" MIGSAFE_BACKUP_DIR="$BACKUPS" MIGRATION_SCRIPT="$MODE" \
		"${variables[@]}" "$APP/deploy.sh" "$@"
}

containers() { # -> id, service, image, state and exit status of each
	(cd "$RECORDER/c" && grep '' ./*) | sed 's,^\./,,'
}

steps_are() { # FIRST-LAST NAME: were these announced, in this order, and no others?
	local want
	want=$(for ((i = ${1%-*}; i <= ${1#*-}; i++)); do printf '[%d/8] ' "$i"; done)
	is "$(printf '%s\n' "$OUT" | grep -oE '^\[[0-9]/8\]' | tr '\n' ' ')" "$want" "$2"
}

calls() { # -> the calls in order, without those that only look
	grep -vE '^(docker (info|inspect|compose (version|config|ps|--profile))|migsafe (settings|wait( .*)? --wait 0$))' "$RECORDER/log" |
		sed -E 's/ --(wait|gate) [^ ]*//g'
}

calls_are() { # NAME LINE...
	local name=$1
	shift
	is "$(calls)" "$(printf '%s\n' "$@")" "$name"
}

old_containers_are_back() { # NAME: the same ones, on the images that they had
	is "$(containers | grep -v ' 1 running 0$'; containers | wc -l)" 3 "$1: the old containers run again, on their old images" ||
		diag "$(containers)"
}
