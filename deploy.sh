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
  8 check the state               migsafe health --after-deploy; every container is running or healthy

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

# In small letters, because a name that comes exported - BUILD of a CI job, STATE - keeps its place in
# the environment: what is assigned to it here would be what docker compose and migsafe see.
step_names=('' 'Prepare for the migrations' 'Stop the old containers' 'Build the images' 'Start the database'
	'Wait for the database' 'Apply the migrations (with the way back)' 'Start the application' 'Check the state')

do_pull='' do_build=1 dry_run='' env_file='' project_dir=''
options=()       # of `migsafe deploy`
settings=()      # those of them that every command of migsafe takes
compose_words=() # docker compose
migsafe_words=() # migsafe
no_compose=''    # why there is no compose
services=()      # those that a plain `up` starts
all_services=()  # and those of profiles that are not active
database=''      # the one of the database
app=()           # APP_SERVICES
running=()       # services that were running and are known to compose
running_ids=()   # their containers
gone=()          # services that run, but that the compose file does not have any more
gone_ids=()      # their containers
started=()       # services to look at in the end
limit=60         # seconds for that

# What a failure has to put right:
#   untouched  nothing was stopped
#   stopped    old containers are down and to be started again
#   undecided  exit status 22: a person must look first, so nothing is started
#   migrated   the database is the new one; the old containers would not fit it
phase=untouched
built=''      # may there be new images?
plan_status=0 # what a dry run ends with
step_now=0
child_pid='' # whom a signal is passed on to
signals=''   # those that came

# --- words ----------------------------------------------------------------------------------------

# That nobody reads this any more must not stop a deploy half-way.
note() { printf '      %s\n' "$*" || true; }
warn() { printf 'deploy.sh: %s\n' "$*" >&2 || true; }

step() { # NUMBER
	stop_if_asked
	step_now=$1
	printf '[%d/8] %s\n' "$step_now" "${step_names[step_now]}" || true
}

has() { # WORD LIST...
	local word=$1 item
	shift
	for item in "$@"; do [ "$item" != "$word" ] || return 0; done
	return 1
}

shown() { # COMMAND... -> without the values of options, which may be secrets
	local word text=$1 ours=${#migsafe_words[@]} i=1
	if [ "$ours" = 0 ] || [ "${*:1:$ours}" != "${migsafe_words[*]}" ]; then
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
	local status before=$signals
	[ -z "$before" ] || return 130
	"$@" <&0 9<&- &
	child_pid=$!
	# Came between the two lines above; the child needs a moment to be able to hear it.
	[ -z "$signals" ] || { sleep 0.5 && kill -TERM "$child_pid" 2>/dev/null; } || true
	while :; do
		before=$signals status=0
		wait "$child_pid" || status=$?
		# A wait that a trap has ended says nothing of the child; the next one does, also when the
		# child has ended meanwhile.
		if [ "$status" -le 128 ] || [ "$before" = "$signals" ]; then break; fi
	done
	child_pid=''
	return "$status"
}

on_signal() { # NAME
	# Each one counts, also of the same name: see child.
	signals="$1${signals:+, $signals}"
	[ -z "$child_pid" ] || kill -TERM "$child_pid" 2>/dev/null || true
}

stop_if_asked() {
	[ -z "$signals" ] || give_up 130 "stopped by $signals"
}

act() { # COMMAND...: announced and run; in a dry run announced only
	if [ -n "$dry_run" ]; then
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
	case $phase in
	untouched) [ -n "$dry_run$no_compose" ] || warn "nothing was stopped" ;;
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
	if [ $((${#running_ids[@]} + ${#gone_ids[@]})) = 0 ]; then
		printf 'none were running'
	else
		printf 'docker start%s' "$(printf ' %s' "${running_ids[@]}" "${gone_ids[@]}")"
	fi
}

# compose starts them in the order of their dependencies. Where it refuses, as for a new compose file
# that depends on what never ran, docker starts the same containers without asking that file.
bring_back() {
	local failed=''
	if [ $((${#running_ids[@]} + ${#gone_ids[@]})) = 0 ]; then
		warn "no container of the application was running before, so none is started"
		return
	fi
	warn "the old containers are started again, on their old images: ${running[*]} ${gone[*]}"
	if [ ${#running[@]} -gt 0 ]; then
		"${compose_words[@]}" start "${running[@]}" || docker start "${running_ids[@]}" || failed=1
	fi
	[ ${#gone_ids[@]} = 0 ] || docker start "${gone_ids[@]}" || failed=1
	[ -z "$failed" ] || warn "NOT ALL OF THEM STARTED; by hand: $(start_command)"
	[ -z "$built" ] || warn "do not \`up\` by hand now: it would start the new images on the old schema"
}

# --- 1: what is there -------------------------------------------------------------------------------

find_compose() {
	read -ra compose_words <<<"${COMPOSE:-docker compose}"
	if ! command -v "${compose_words[0]}" >/dev/null; then
		no_compose="there is no ${compose_words[0]} here"
	elif ! limited "${compose_words[@]}" version >/dev/null 2>&1; then
		no_compose="\`${compose_words[*]} version\` fails"
	elif ! limited docker info >/dev/null 2>&1; then
		no_compose="\`docker info\` fails: no daemon, or no right to use it"
	fi
	[ -z "$env_file" ] || compose_words+=(--env-file "$env_file")
	[ -n "$no_compose" ] || read_services
	[ -z "$no_compose" ] || warn "no usable docker compose: $no_compose"
}

read_services() {
	local list
	if ! list=$(limited "${compose_words[@]}" config --services 2>/dev/null); then
		list=$(limited "${compose_words[@]}" config --services 2>&1 >/dev/null) || true
		case $list in
		*'no configuration file provided'* | *"Can't find a suitable configuration file"*)
			no_compose="there is no compose file in $PWD"
			return
			;;
		esac
		give_up 74 "docker compose cannot read its configuration: $list"
	fi
	mapfile -t services < <(printf '%s\n' "$list" | sed '/^$/d')
	list=$(limited "${compose_words[@]}" --profile '*' config --services 2>/dev/null) || list=''
	mapfile -t all_services < <(printf '%s\n' "${services[@]}" "$list" | sed '/^$/d' | sort -u)
	choose_services
}

choose_services() {
	local service
	database=${DB_SERVICE-}
	for service in db postgres; do
		if [ -z "${DB_SERVICE-}" ] && has "$service" "${services[@]}"; then database=$service; fi
	done
	read -ra app <<<"${APP_SERVICES-}"
	for service in $database "${app[@]}"; do
		has "$service" "${all_services[@]}" || give_up 78 "docker compose has no service \"$service\" (DB_SERVICE, APP_SERVICES)"
	done
	note "docker compose: ${services[*]}; the database is ${database:-none of them}"
}

find_migsafe() {
	local usual=migsafe
	if ! command -v migsafe >/dev/null && [ -x ./migsafe ]; then usual=./migsafe; fi
	read -ra migsafe_words <<<"${MIGSAFE:-$usual}"
	command -v "${migsafe_words[0]}" >/dev/null ||
		give_up 74 "no such program: ${migsafe_words[0]}; install migsafe, or say in MIGSAFE how it is run"
}

pull() {
	[ -n "$do_pull" ] || return 0
	act git pull --ff-only || failed 74 "git pull"
}

# 64 and 78 would be the same later on, when containers are down; anything else may be mended by then.
database_answers() {
	local status=0 said
	said=$("${migsafe_words[@]}" wait "${settings[@]}" --wait 0 2>&1 9<&-) || status=$?
	case $status in 64 | 78) give_up "$status" "$said" ;; esac
	[ "$status" = 0 ]
}

gate_setting() {
	"${migsafe_words[@]}" settings "${settings[@]}" 2>/dev/null 9<&- | sed -n 's/^gate  *= *\([a-z]*\).*/\1/p' || true
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
	look "${migsafe_words[@]}" gate "${settings[@]}" || status=$?
	[ "$status" != 0 ] || return 0
	stop_if_asked
	if [ "$setting" = warn ]; then
		note "the setting gate is warn: going on"
	elif [ -n "$dry_run" ]; then
		plan_status=$status
		note "refused: the deploy would stop here"
	else
		failed "$status" "the gate"
	fi
}

failed() { # STATUS WHAT: a signal is the better reason
	stop_if_asked
	give_up "$1" "[$step_now/8] failed: $2 (exit status $1)"
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
	[ -n "$no_compose" ] || return 1
	note "skipped: $no_compose"
}

# The containers are remembered by id: what happens to the compose file cannot make them others.
find_running() {
	local list service
	list=$(limited "${compose_words[@]}" ps --services --status running --status restarting) ||
		failed 74 "docker compose ps"
	for service in $list; do
		[ "$service" != "$database" ] || continue
		if [ ${#app[@]} -gt 0 ] && ! has "$service" "${app[@]}"; then continue; fi
		if has "$service" "${all_services[@]}"; then
			add_running "$service"
		else
			gone+=("$service")
		fi
	done
	[ ${#gone[@]} = 0 ] || find_gone
}

# A service may be listed for a container of `compose run` alone, which is not ours to stop.
add_running() { # SERVICE
	local ids
	ids=$(limited "${compose_words[@]}" ps -q "$1") || failed 74 "docker compose ps"
	[ -n "$ids" ] || return 0
	running+=("$1")
	# shellcheck disable=SC2206 # one word each
	running_ids+=($ids)
}

# compose knows no container by the name of a service that it lacks: what is left when the others
# are taken away.
find_gone() {
	local id all kept=''
	all=$(limited "${compose_words[@]}" ps -q) || failed 74 "docker compose ps"
	[ -z "$database" ] || kept=$(limited "${compose_words[@]}" ps -q "$database") || failed 74 "docker compose ps"
	for id in $all; do
		# shellcheck disable=SC2086 # one word each
		has "$id" "${running_ids[@]}" $kept || gone_ids+=("$id")
	done
}

stop_old() {
	step 2
	! skipped || return 0
	find_running
	if [ ${#running[@]} = 0 ] && [ ${#gone[@]} = 0 ]; then
		note "none is running"
		return
	fi
	# From here on, because a stop that fails may have stopped some.
	[ -n "$dry_run" ] || phase=stopped
	if [ ${#running[@]} -gt 0 ]; then
		act "${compose_words[@]}" stop "${running[@]}" || failed 74 "docker compose stop"
	fi
	if [ ${#gone_ids[@]} -gt 0 ]; then
		note "not in the compose file any more, so they stay stopped after a good deploy: ${gone[*]}"
		act docker stop "${gone_ids[@]}" || failed 74 "docker stop"
	fi
}

# A service of a profile that is not active, as `migrate` mostly is, is left out of a plain build:
# migsafe would run in the old image, with the old migrations, and find nothing to do.
migsafe_service() {
	local word after_run=''
	for word in "${migsafe_words[@]}"; do
		if [ -n "$after_run" ] && has "$word" "${all_services[@]}"; then
			has "$word" "${services[@]}" && [ ${#app[@]} = 0 ] || printf '%s' "$word"
			return
		fi
		[ "$word" != run ] || after_run=1
	done
}

build() {
	local service
	step 3
	! skipped || return 0
	if [ -z "$do_build" ]; then
		note "skipped: --no-build"
		return
	fi
	[ -n "$dry_run" ] || built=1
	act "${compose_words[@]}" build "${app[@]}" || failed 74 "docker compose build"
	service=$(migsafe_service)
	[ -z "$service" ] || act "${compose_words[@]}" build "$service" || failed 74 "docker compose build"
}

start_database() {
	step 4
	! skipped || return 0
	if [ -z "$database" ]; then
		note "skipped: the database is no service of compose (DB_SERVICE)"
		return
	fi
	act "${compose_words[@]}" up -d "$database" || failed 74 "docker compose up"
}

# --- 5 and 6 ------------------------------------------------------------------------------------------

wait_for_database() {
	local status=0
	step 5
	act "${migsafe_words[@]}" wait "${settings[@]}" || status=$?
	[ "$status" = 0 ] || failed "$status" "the database does not answer"
}

# Its status is the verdict, whatever signal came meanwhile.
migrate() {
	local status=0
	step 6
	if [ -n "$dry_run" ]; then
		plan
		return
	fi
	act "${migsafe_words[@]}" deploy "${options[@]}" || status=$?
	case $status in
	0)
		phase=migrated
		[ -z "$signals" ] || note "the signal came too late, the database is migrated: going on"
		signals=''
		return
		;;
	20) warn "the migration failed and the database was restored" ;;
	21) warn "the migration failed, and nothing had changed" ;;
	22) phase=undecided ;;
	esac
	case $status in 20 | 21 | 22) warn "what happened: $(shown "${migsafe_words[@]}" report)" ;; esac
	if [ "$status" -gt 128 ] && [ "$status" != 130 ]; then
		# Nobody has undone what it was doing.
		warn "migsafe was killed (exit status $status): the database may be half-way"
		phase=undecided
		status=22
	fi
	give_up "$status" "[6/8] failed: migsafe deploy (exit status $status)"
}

plan() {
	local status=0
	act "${migsafe_words[@]}" deploy "${options[@]}"
	if ! database_answers; then
		note "the database does not answer: migsafe cannot tell its plan"
		return
	fi
	look "${migsafe_words[@]}" deploy --dry-run "${options[@]}" || status=$?
	[ "$plan_status" != 0 ] || plan_status=$status
}

# --- 7 and 8 ------------------------------------------------------------------------------------------

start_application() {
	local service extra=()
	step 7
	! skipped || return 0
	# What ran by a profile that is not active now would stay down.
	if [ ${#app[@]} = 0 ]; then
		for service in "${running[@]}"; do has "$service" "${services[@]}" || extra+=("$service"); done
	fi
	act "${compose_words[@]}" up -d "${app[@]}" || failed 74 "docker compose up"
	[ ${#extra[@]} = 0 ] || act "${compose_words[@]}" up -d "${extra[@]}" || failed 74 "docker compose up"
	started=("${app[@]}")
	[ ${#app[@]} -gt 0 ] || started=("${services[@]}" "${extra[@]}")
}

container_format='{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}}'
container_format+=' {{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}} {{.State.ExitCode}} {{.RestartCount}}'
container_format+=' {{index .Config.Labels "com.docker.compose.oneoff"}}'

# Sets `seen`, all containers, and `unwell`, those that are not running or healthy. One that ended
# with 0 has done its work.
look_at_containers() {
	local ids service state health code restarts oneoff
	unwell='' seen=''
	ids=$(limited "${compose_words[@]}" ps -a -q "${started[@]}") || return 1
	[ -n "$ids" ] || return 0
	# shellcheck disable=SC2086 # one word each
	seen=$(limited docker inspect --format "$container_format" $ids) || return 1
	while read -r service state health code restarts oneoff; do
		# `ps -a` also lists what `run` has left behind.
		case $oneoff/$state/$health/$code in
		True/* | */running/healthy/* | */running/-/* | */exited/*/0) ;;
		*) unwell+="$service ($state, health $health, exit status $code, $restarts restarts); " ;;
		esac
	done <<<"$seen"
}

# Well twice, and nothing restarted in between: a container that ends at once is running, too, now
# and then.
check_containers() {
	local before='' end=$((SECONDS + limit))
	while :; do
		stop_if_asked
		if ! look_at_containers; then
			unwell='docker does not say how the containers are; '
		elif [ -z "$unwell" ] && [ "$seen" = "$before" ]; then
			note "containers: running"
			return
		fi
		before=$seen
		[ "$SECONDS" -lt "$end" ] || break
		child sleep 1 || true
	done
	warn "not well after $limit s: ${unwell:-a container restarts again and again; }see \`${compose_words[*]} logs\`"
	return 1
}

check() {
	local status=0
	step 8
	act "${migsafe_words[@]}" health --after-deploy "${settings[@]}" || status=$?
	if [ -z "$no_compose" ]; then
		if [ -n "$dry_run" ]; then
			note "would look for $limit s at the containers of: ${started[*]}"
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

parse_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--help | -h) usage && exit 0 ;;
		--pull) do_pull=1 ;;
		--no-build) do_build='' ;;
		--dry-run) dry_run=1 ;;
		--project-dir=* | --env-file=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
		--project-dir) [ $# -gt 1 ] || wrong "$1 needs a folder" && project_dir=$2 && shift ;;
		--env-file) [ $# -gt 1 ] || wrong "$1 needs a file" && env_file=$2 && shift ;;
		--) shift && break ;;
		-*) wrong "unknown option: $1; options of migsafe come after --" ;;
		*) wrong "unknown word: $1" ;;
		esac
		shift
	done
	options=("$@")
	local word
	# The one option that is deploy's alone; the others are settings, and wait, gate and health must
	# speak of the same database.
	for word in "$@"; do [ "$word" = --again ] || settings+=("$word"); done
}

# No shell is asked what a line means: these files hold passwords with any character in them.
read_env_file() {
	local line name value
	[ -r "$env_file" ] || give_up 66 "no such file: $env_file"
	env_file=$(realpath "$env_file")
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		[[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || continue
		name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
		if [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]]; then value=${BASH_REMATCH[1]}; fi
		[ -n "${!name-}" ] || export "$name=$value"
	done <"$env_file"
}

# Held on the folder itself, so that nothing is left behind; children do not inherit it.
lock() {
	exec 9<.
	[ -n "$dry_run" ] || ! command -v flock >/dev/null || flock -n 9 ||
		give_up 75 "another deploy.sh is at work in $PWD"
}

main() {
	parse_options "$@"
	trap on_exit EXIT
	trap 'on_signal INT' INT
	trap 'on_signal TERM' TERM
	trap 'on_signal HUP' HUP
	trap : PIPE
	[ -z "$env_file" ] || read_env_file
	limit=${HEALTH_TIMEOUT:-60}
	[[ $limit =~ ^[1-9][0-9]*$ ]] || give_up 78 "HEALTH_TIMEOUT is no number of seconds: $limit"
	cd "${project_dir:-$(dirname "${BASH_SOURCE[0]}")}" || give_up 66 "no such folder: $project_dir"
	lock
	prepare
	stop_old
	build
	start_database
	wait_for_database
	migrate
	start_application
	check
	if [ -n "$dry_run" ]; then
		note "dry run: nothing was changed"
		exit "$plan_status"
	fi
	printf 'deployed\n' || true
}

main "$@"; exit
