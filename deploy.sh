#!/usr/bin/env bash
# Deploys the application that lies beside this file, in place of a bare `docker compose up`: the
# migrations are applied by migsafe, with backups and the way back, while the old containers stand
# still; when anything fails, the same old containers come back on their old images.
#
# docs/DEPLOY_SH.md of migsafe tells more.  The whole file is read before anything runs (main is
# called in its last line), because `git pull` may put a new one in its place.
set -euo pipefail

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
	echo 'deploy.sh: needs bash 4.4 or newer' >&2
	exit 71
fi

usage() {
	cat <<'END'
usage: ./deploy.sh [OPTION...] [-- MIGSAFE-OPTION...]

Deploys in eight steps, and stops at the first failure:
  1 prepare for the migrations    find docker compose and migsafe; when the database answers
                                  already, ask `migsafe gate`: what it refuses stops nothing
  2 stop the old containers       all but the database; they stay, with their images
  3 build the images
  4 start the database
  5 wait for the database         migsafe wait
  6 apply the migrations          migsafe deploy: backs up, migrates, checks, restores
  7 start the application
  8 check the state               migsafe health; every container is running or healthy

After a failure in steps 2 to 6 the old containers are started again, except after exit status
22, where nothing is started. Without a docker compose that works, steps 2, 3, 4 and 7 are
skipped and say so; the migrations are applied all the same.

  --pull             `git pull --ff-only` first
  --no-build         do not build images
  --dry-run          print the steps and their commands, and what migsafe would do; change nothing
  --project-dir DIR  folder of docker-compose.yml (default: that of this script)
  --env-file FILE    lines NAME=VALUE, for docker compose and for migsafe; a variable that is
                     set already keeps its value
  --help
  -- ...             further words are options of migsafe: -- --allow drop-column:User.legacy

Variables:
  MIGSAFE            the program, also several words: "docker compose run --rm -T migrate"
                     (default: migsafe)
  COMPOSE            "docker compose" (default), "docker-compose", "docker compose -f prod.yml"
  DB_SERVICE         the database's service (default: postgres, else db, else none of compose's)
  APP_SERVICES       the services to stop, build, start and check (default: all but the database)
  HEALTH_TIMEOUT     seconds for the containers to be running or healthy (default: 60)

Exit status: 0 deployed; 10, 11 refused; 12 deployed but not healthy; 20 failed, database
restored; 21 failed, nothing had changed; 22 a person must decide; 64 usage; 69 no database;
74 docker, git or another program failed; 75 another deploy is running; 78 a wrong variable;
130 stopped by a signal. Others are those of migsafe: docs/EXIT.md.
END
}

STEPS=('' 'Prepare for the migrations' 'Stop the old containers' 'Build the images' 'Start the database'
	'Wait for the database' 'Apply the migrations (with the way back)' 'Start the application' 'Check the state')

PULL='' BUILD=1 DRY_RUN='' ENV_FILE='' PROJECT_DIR=''
OPTIONS=()  # of `migsafe deploy`
SETTINGS=() # those of them that every command of migsafe takes

# What a failure has to put right:
#   untouched  nothing was stopped
#   stopped    old containers are down and to be started again
#   undecided  exit status 22: a person must look first, so nothing is started
#   migrated   the database is the new one; the old containers would not fit it
STATE=untouched
CHILD=''      # process that a signal is passed on to
SIGNAL=''     # the signal that came
RUNNING=()    # services that were running and are known to compose
OLD_IDS=()    # their containers
GONE=()       # services that run, but that the compose file does not have any more
GONE_IDS=()   # their containers
NO_COMPOSE='' # why there is no compose
BUILT=''      # may there be new images?
PLAN_STATUS=0 # what a dry run ends with
STEP=0        # the one at work

# --- words ----------------------------------------------------------------------------------------

# That nobody reads this any more must not stop a deploy half-way.
note() { printf '      %s\n' "$*" || true; }
warn() { printf 'deploy.sh: %s\n' "$*" >&2 || true; }

step() { # NUMBER
	stop_if_asked
	STEP=$1
	printf '[%d/8] %s\n' "$STEP" "${STEPS[STEP]}" || true
}

has() { # WORD LIST...
	local word=$1 item
	shift
	for item in "$@"; do [ "$item" != "$word" ] || return 0; done
	return 1
}

shown() { # COMMAND... -> without the values of options, which may be secrets
	local word text=$1 ours=${#MIGSAFE_WORDS[@]} i=1
	if [ "${*:1:$ours}" != "${MIGSAFE_WORDS[*]}" ]; then
		printf '%s' "$*"
		return
	fi
	for word in "${@:2}"; do
		# The words of MIGSAFE and the command are ours to show.
		if [ "$i" -gt "$ours" ]; then
			case $word in --*=*) word=${word%%=*}=... ;; --*) ;; *) word=... ;; esac
		fi
		text+=" $word" i=$((i + 1))
	done
	printf '%s' "$text"
}

# --- children and signals ---------------------------------------------------------------------------

# In the background, because a trap must not wait for the child; the child is told of the signal and
# decides what becomes of it. It stays in our process group, so it may use the terminal.
child() { # COMMAND...
	local status before=$SIGNAL
	[ -z "$before" ] || return 130
	"$@" <&0 9<&- &
	CHILD=$!
	# Came between the two lines above; the child needs a moment to be able to hear it.
	[ -z "$SIGNAL" ] || { sleep 0.5 && kill -TERM "$CHILD" 2>/dev/null; } || true
	while :; do
		before=$SIGNAL status=0
		wait "$CHILD" || status=$?
		# A wait that a trap has ended says nothing of the child; the next one does, also when the
		# child has ended meanwhile.
		if [ "$status" -le 128 ] || [ "$before" = "$SIGNAL" ]; then break; fi
	done
	CHILD=''
	return "$status"
}

on_signal() { # NAME
	# Each one counts, also of the same name: see child.
	SIGNAL="$1${SIGNAL:+, $SIGNAL}"
	[ -z "$CHILD" ] || kill -TERM "$CHILD" 2>/dev/null || true
}

stop_if_asked() {
	[ -z "$SIGNAL" ] || give_up 130 "stopped by $SIGNAL"
}

act() { # COMMAND...: announced and run; in a dry run announced only
	if [ -n "$DRY_RUN" ]; then
		note "would run: $(shown "$@")"
		return 0
	fi
	look "$@"
}

look() { # COMMAND...: what changes nothing runs in a dry run too
	note "$(shown "$@")"
	child "$@"
}

# A daemon that hangs must not hang the deploy.
limited() { # COMMAND...
	if command -v timeout >/dev/null; then timeout 60 "$@"; else "$@"; fi
}

# --- the way back -----------------------------------------------------------------------------------

give_up() { # STATUS MESSAGE...
	local status=$1
	shift
	warn "$*"
	exit "$status"
}

# However this script ends, also by a defect of its own.
on_exit() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	set +e
	[ "$status" != 0 ] || exit 0
	case $STATE in
	untouched) [ -n "$DRY_RUN$NO_COMPOSE" ] || warn "nothing was stopped" ;;
	stopped) bring_back ;;
	undecided)
		warn "a person must decide: nothing is started, neither the old containers nor the new ones"
		warn "the old ones, once that is right: $(start_command)"
		;;
	migrated) warn "the database is migrated; the old containers are not started again, they would not fit it" ;;
	esac
	exit "$status"
}

start_command() { # -> what starts the old containers by hand
	if [ $((${#OLD_IDS[@]} + ${#GONE_IDS[@]})) = 0 ]; then
		printf 'none were running'
	else
		printf 'docker start%s' "$(printf ' %s' "${OLD_IDS[@]}" "${GONE_IDS[@]}")"
	fi
}

# compose starts them in the order of their dependencies. Where it refuses, as for a new compose file
# that depends on what never ran, docker starts the same containers without asking that file.
bring_back() {
	local failed=''
	if [ $((${#OLD_IDS[@]} + ${#GONE_IDS[@]})) = 0 ]; then
		warn "no container of the application was running before, so none is started"
		return
	fi
	warn "the old containers are started again, on their old images: ${RUNNING[*]} ${GONE[*]}"
	if [ ${#RUNNING[@]} -gt 0 ]; then
		"${COMPOSE_WORDS[@]}" start "${RUNNING[@]}" || docker start "${OLD_IDS[@]}" || failed=1
	fi
	[ ${#GONE_IDS[@]} = 0 ] || docker start "${GONE_IDS[@]}" || failed=1
	[ -z "$failed" ] || warn "NOT ALL OF THEM STARTED; by hand: $(start_command)"
	[ -z "$BUILT" ] || warn "do not \`up\` by hand now: it would start the new images on the old schema"
}

# --- 1: what is there -------------------------------------------------------------------------------

find_compose() {
	read -ra COMPOSE_WORDS <<<"${COMPOSE:-docker compose}"
	if ! command -v "${COMPOSE_WORDS[0]}" >/dev/null; then
		NO_COMPOSE="there is no ${COMPOSE_WORDS[0]} here"
	elif ! limited "${COMPOSE_WORDS[@]}" version >/dev/null 2>&1; then
		NO_COMPOSE="\`${COMPOSE_WORDS[*]} version\` fails"
	elif ! limited docker info >/dev/null 2>&1; then
		NO_COMPOSE="\`docker info\` fails: no daemon, or no right to use it"
	fi
	[ -z "$ENV_FILE" ] || COMPOSE_WORDS+=(--env-file "$ENV_FILE")
	[ -n "$NO_COMPOSE" ] || read_services
	[ -z "$NO_COMPOSE" ] || warn "no usable docker compose: $NO_COMPOSE"
}

# SERVICES are those that a plain `up` starts, ALL also those of profiles that are not active.
read_services() {
	local list
	if ! list=$(limited "${COMPOSE_WORDS[@]}" config --services 2>/dev/null); then
		list=$(limited "${COMPOSE_WORDS[@]}" config --services 2>&1 >/dev/null) || true
		case $list in
		*'no configuration file provided'* | *"Can't find a suitable configuration file"*)
			NO_COMPOSE="there is no compose file in $PWD"
			return
			;;
		esac
		give_up 74 "docker compose cannot read its configuration: $list"
	fi
	mapfile -t SERVICES < <(printf '%s\n' "$list" | sed '/^$/d')
	list=$(limited "${COMPOSE_WORDS[@]}" --profile '*' config --services 2>/dev/null) || list=''
	mapfile -t ALL < <(printf '%s\n' "${SERVICES[@]}" "$list" | sed '/^$/d' | sort -u)
	choose_services
}

choose_services() {
	local service
	if [ -z "${DB_SERVICE-}" ]; then
		DB_SERVICE=''
		for service in db postgres; do
			if has "$service" "${SERVICES[@]}"; then DB_SERVICE=$service; fi
		done
	fi
	read -ra APP <<<"${APP_SERVICES-}"
	for service in $DB_SERVICE "${APP[@]}"; do
		has "$service" "${ALL[@]}" || give_up 78 "docker compose has no service \"$service\" (DB_SERVICE, APP_SERVICES)"
	done
	note "docker compose: ${SERVICES[*]}; the database is ${DB_SERVICE:-none of them}"
}

find_migsafe() {
	if [ -z "${MIGSAFE-}" ] && ! command -v migsafe >/dev/null && [ -x ./migsafe ]; then MIGSAFE=./migsafe; fi
	read -ra MIGSAFE_WORDS <<<"${MIGSAFE:-migsafe}"
	command -v "${MIGSAFE_WORDS[0]}" >/dev/null ||
		give_up 74 "no such program: ${MIGSAFE_WORDS[0]}; install migsafe, or say in MIGSAFE how it is run"
}

pull() {
	[ -n "$PULL" ] || return 0
	act git pull --ff-only || failed 74 "git pull"
}

# 64 and 78 would be the same later on, when containers are down; anything else may be mended by then.
database_answers() {
	local status=0 said
	said=$("${MIGSAFE_WORDS[@]}" wait "${SETTINGS[@]}" --wait 0 2>&1 9<&-) || status=$?
	case $status in 64 | 78) give_up "$status" "$said" ;; esac
	[ "$status" = 0 ]
}

gate_setting() {
	"${MIGSAFE_WORDS[@]}" settings "${SETTINGS[@]}" 2>/dev/null 9<&- | sed -n 's/^gate  *= *\([a-z]*\).*/\1/p' || true
}

# Asked before anything is stopped, so that a refusal costs nothing.
ask_gate() {
	local status=0 setting
	if ! database_answers; then
		note "the database does not answer yet: the gate comes with step 6"
		return
	fi
	setting=$(gate_setting)
	if [ "$setting" = off ]; then
		note "the setting gate is off"
		return
	fi
	look "${MIGSAFE_WORDS[@]}" gate "${SETTINGS[@]}" || status=$?
	[ "$status" != 0 ] || return 0
	stop_if_asked
	if [ "$setting" = warn ]; then
		note "the setting gate is warn: going on"
	elif [ -n "$DRY_RUN" ]; then
		PLAN_STATUS=$status
		note "refused: the deploy would stop here"
	else
		failed "$status" "the gate"
	fi
}

failed() { # STATUS WHAT: a signal is the better reason
	stop_if_asked
	give_up "$1" "[$STEP/8] failed: $2 (exit status $1)"
}

prepare() {
	step 1
	pull
	find_compose
	find_migsafe
	ask_gate
}

# --- 2 to 4 -------------------------------------------------------------------------------------------

skipped() { # is there no compose?
	[ -n "$NO_COMPOSE" ] || return 1
	note "skipped: $NO_COMPOSE"
}

# The containers are remembered by id: what happens to the compose file cannot make them others.
find_running() {
	local list service
	list=$(limited "${COMPOSE_WORDS[@]}" ps --services --status running --status restarting) ||
		failed 74 "docker compose ps"
	for service in $list; do
		[ "$service" != "$DB_SERVICE" ] || continue
		if [ ${#APP[@]} -gt 0 ] && ! has "$service" "${APP[@]}"; then continue; fi
		if has "$service" "${ALL[@]}"; then
			add_running "$service"
		else
			GONE+=("$service")
		fi
	done
	[ ${#GONE[@]} = 0 ] || find_gone
}

# A service may be listed for a container of `compose run` alone, which is not ours to stop.
add_running() { # SERVICE
	local ids
	ids=$(limited "${COMPOSE_WORDS[@]}" ps -q "$1") || failed 74 "docker compose ps"
	[ -n "$ids" ] || return 0
	RUNNING+=("$1")
	# shellcheck disable=SC2206 # one word each
	OLD_IDS+=($ids)
}

# compose knows no container by the name of a service that it lacks: what is left when the others
# are taken away.
find_gone() {
	local id all database=''
	all=$(limited "${COMPOSE_WORDS[@]}" ps -q) || failed 74 "docker compose ps"
	[ -z "$DB_SERVICE" ] || database=$(limited "${COMPOSE_WORDS[@]}" ps -q "$DB_SERVICE") || failed 74 "docker compose ps"
	for id in $all; do
		# shellcheck disable=SC2086 # one word each
		has "$id" "${OLD_IDS[@]}" $database || GONE_IDS+=("$id")
	done
}

stop_old() {
	step 2
	! skipped || return 0
	find_running
	if [ ${#RUNNING[@]} = 0 ] && [ ${#GONE[@]} = 0 ]; then
		note "none is running"
		return
	fi
	# From here on, because a stop that fails may have stopped some.
	[ -n "$DRY_RUN" ] || STATE=stopped
	if [ ${#RUNNING[@]} -gt 0 ]; then
		act "${COMPOSE_WORDS[@]}" stop "${RUNNING[@]}" || failed 74 "docker compose stop"
	fi
	if [ ${#GONE_IDS[@]} -gt 0 ]; then
		note "not in the compose file any more, so they stay stopped after a good deploy: ${GONE[*]}"
		act docker stop "${GONE_IDS[@]}" || failed 74 "docker stop"
	fi
}

# A service of a profile that is not active, as `migrate` mostly is, is left out of a plain build:
# migsafe would run in the old image, with the old migrations, and find nothing to do.
migsafe_service() {
	local word after_run=''
	for word in "${MIGSAFE_WORDS[@]}"; do
		if [ -n "$after_run" ] && has "$word" "${ALL[@]}"; then
			has "$word" "${SERVICES[@]}" && [ ${#APP[@]} = 0 ] || printf '%s' "$word"
			return
		fi
		[ "$word" != run ] || after_run=1
	done
}

build() {
	local service
	step 3
	! skipped || return 0
	if [ -z "$BUILD" ]; then
		note "skipped: --no-build"
		return
	fi
	[ -n "$DRY_RUN" ] || BUILT=1
	act "${COMPOSE_WORDS[@]}" build "${APP[@]}" || failed 74 "docker compose build"
	service=$(migsafe_service)
	[ -z "$service" ] || act "${COMPOSE_WORDS[@]}" build "$service" || failed 74 "docker compose build"
}

start_database() {
	step 4
	! skipped || return 0
	if [ -z "$DB_SERVICE" ]; then
		note "skipped: the database is no service of compose (DB_SERVICE)"
		return
	fi
	act "${COMPOSE_WORDS[@]}" up -d "$DB_SERVICE" || failed 74 "docker compose up"
}

# --- 5 and 6 ------------------------------------------------------------------------------------------

wait_for_database() {
	local status=0
	step 5
	act "${MIGSAFE_WORDS[@]}" wait "${SETTINGS[@]}" || status=$?
	[ "$status" = 0 ] || failed "$status" "the database does not answer"
}

# Its status is the verdict, whatever signal came meanwhile.
migrate() {
	local status=0
	step 6
	if [ -n "$DRY_RUN" ]; then
		plan
		return
	fi
	act "${MIGSAFE_WORDS[@]}" deploy "${OPTIONS[@]}" || status=$?
	case $status in
	0)
		STATE=migrated
		[ -z "$SIGNAL" ] || note "the signal came too late, the database is migrated: going on"
		SIGNAL=''
		return
		;;
	20) warn "the migration failed and the database was restored" ;;
	21) warn "the migration failed, and nothing had changed" ;;
	22) STATE=undecided ;;
	esac
	case $status in 20 | 21 | 22) warn "what happened: $(shown "${MIGSAFE_WORDS[@]}" report)" ;; esac
	if [ "$status" -gt 128 ] && [ "$status" != 130 ]; then
		# Nobody has undone what it was doing.
		warn "migsafe was killed (exit status $status): the database may be half-way"
		STATE=undecided
		status=22
	fi
	give_up "$status" "[6/8] failed: migsafe deploy (exit status $status)"
}

plan() {
	local status=0
	act "${MIGSAFE_WORDS[@]}" deploy "${OPTIONS[@]}"
	if ! database_answers; then
		note "the database does not answer: migsafe cannot tell its plan"
		return
	fi
	look "${MIGSAFE_WORDS[@]}" deploy --dry-run "${OPTIONS[@]}" || status=$?
	[ "$PLAN_STATUS" != 0 ] || PLAN_STATUS=$status
}

# --- 7 and 8 ------------------------------------------------------------------------------------------

start_application() {
	local service extra=()
	step 7
	! skipped || return 0
	# What ran by a profile that is not active now would stay down.
	if [ ${#APP[@]} = 0 ]; then
		for service in "${RUNNING[@]}"; do has "$service" "${SERVICES[@]}" || extra+=("$service"); done
	fi
	act "${COMPOSE_WORDS[@]}" up -d "${APP[@]}" || failed 74 "docker compose up"
	[ ${#extra[@]} = 0 ] || act "${COMPOSE_WORDS[@]}" up -d "${extra[@]}" || failed 74 "docker compose up"
	STARTED=("${APP[@]}")
	[ ${#APP[@]} -gt 0 ] || STARTED=("${SERVICES[@]}" "${extra[@]}")
}

CONTAINER='{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}}'
CONTAINER+=' {{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}} {{.State.ExitCode}} {{.RestartCount}}'
CONTAINER+=' {{index .Config.Labels "com.docker.compose.oneoff"}}'

# Sets SEEN, all containers, and UNWELL, those that are not running or healthy. One that ended
# with 0 has done its work.
look_at_containers() {
	local ids service state health code restarts oneoff
	UNWELL='' SEEN=''
	ids=$(limited "${COMPOSE_WORDS[@]}" ps -a -q "${STARTED[@]}") || return 1
	[ -n "$ids" ] || return 0
	# shellcheck disable=SC2086 # one word each
	SEEN=$(limited docker inspect --format "$CONTAINER" $ids) || return 1
	while read -r service state health code restarts oneoff; do
		# `ps -a` also lists what `run` has left behind.
		case $oneoff/$state/$health/$code in
		True/* | */running/healthy/* | */running/-/* | */exited/*/0) ;;
		*) UNWELL+="$service ($state, health $health, exit status $code, $restarts restarts); " ;;
		esac
	done <<<"$SEEN"
}

# Well twice, and nothing restarted in between: a container that ends at once is running, too, now
# and then.
check_containers() {
	local before='' end=$((SECONDS + HEALTH_TIMEOUT))
	while :; do
		stop_if_asked
		if ! look_at_containers; then
			UNWELL='docker does not say how the containers are; '
		elif [ -z "$UNWELL" ] && [ "$SEEN" = "$before" ]; then
			note "containers: running"
			return
		fi
		before=$SEEN
		[ "$SECONDS" -lt "$end" ] || break
		child sleep 1 || true
	done
	warn "not well after $HEALTH_TIMEOUT s: ${UNWELL:-a container restarts again and again; }see \`${COMPOSE_WORDS[*]} logs\`"
	return 1
}

check() {
	local status=0
	step 8
	act "${MIGSAFE_WORDS[@]}" health "${SETTINGS[@]}" || status=$?
	if [ -z "$NO_COMPOSE" ]; then
		if [ -n "$DRY_RUN" ]; then
			note "would look for $HEALTH_TIMEOUT s at the containers of: ${STARTED[*]}"
		elif ! check_containers && [ "$status" = 0 ]; then
			status=12
		fi
	fi
	[ "$status" = 0 ] || failed "$status" "the database is migrated, but not all is well"
}

# --- the start ------------------------------------------------------------------------------------------

wrong() { # MESSAGE
	warn "$1"
	usage >&2
	exit 64
}

options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--help | -h) usage && exit 0 ;;
		--pull) PULL=1 ;;
		--no-build) BUILD='' ;;
		--dry-run) DRY_RUN=1 ;;
		--project-dir=* | --env-file=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
		--project-dir) [ $# -gt 1 ] || wrong "$1 needs a folder" && PROJECT_DIR=$2 && shift ;;
		--env-file) [ $# -gt 1 ] || wrong "$1 needs a file" && ENV_FILE=$2 && shift ;;
		--) shift && break ;;
		-*) wrong "unknown option: $1; options of migsafe come after --" ;;
		*) wrong "unknown word: $1" ;;
		esac
		shift
	done
	OPTIONS=("$@")
	local word
	# The one option that is deploy's alone; the others are settings, and wait, gate and health must
	# speak of the same database.
	for word in "$@"; do [ "$word" = --again ] || SETTINGS+=("$word"); done
}

# No shell is asked what a line means: these files hold passwords with any character in them.
read_env_file() {
	local line name value
	[ -r "$ENV_FILE" ] || give_up 66 "no such file: $ENV_FILE"
	ENV_FILE=$(realpath "$ENV_FILE")
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		[[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || continue
		name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
		if [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]]; then value=${BASH_REMATCH[1]}; fi
		[ -n "${!name+set}" ] || export "$name=$value"
	done <"$ENV_FILE"
}

# Held on the folder itself, so that nothing is left behind; children do not inherit it.
lock() {
	exec 9<.
	[ -n "$DRY_RUN" ] || ! command -v flock >/dev/null || flock -n 9 ||
		give_up 75 "another deploy.sh is at work in $PWD"
}

main() {
	SERVICES=() ALL=() APP=() STARTED=() COMPOSE_WORDS=() MIGSAFE_WORDS=(migsafe)
	HEALTH_TIMEOUT=${HEALTH_TIMEOUT:-60} SEEN=''
	options "$@"
	trap on_exit EXIT
	trap 'on_signal INT' INT
	trap 'on_signal TERM' TERM
	trap 'on_signal HUP' HUP
	trap : PIPE
	[[ $HEALTH_TIMEOUT =~ ^[1-9][0-9]*$ ]] || give_up 78 "HEALTH_TIMEOUT is no number of seconds: $HEALTH_TIMEOUT"
	[ -z "$ENV_FILE" ] || read_env_file
	cd "${PROJECT_DIR:-$(dirname "${BASH_SOURCE[0]}")}" || give_up 66 "no such folder: $PROJECT_DIR"
	lock
	prepare
	stop_old
	build
	start_database
	wait_for_database
	migrate
	start_application
	check
	if [ -n "$DRY_RUN" ]; then
		note "dry run: nothing was changed"
		exit "$PLAN_STATUS"
	fi
	printf 'deployed\n' || true
}

main "$@"; exit
