#!/usr/bin/env bash
# Help, version, and every way to call a command wrongly, of every command there is.
. "$(dirname "$0")/../lib.sh"

run "$MIGSAFE" --version
status_is 0 "--version"
like "$OUT" '^migsafe [0-9]+\.[0-9]+\.[0-9]+$' "--version prints name and version"

run "$MIGSAFE" help
status_is 0 "help"
like "$OUT" '^usage: migsafe COMMAND' "help begins with the usage"
is "$ERR" "" "help says nothing on stderr"
help=$OUT
run "$MIGSAFE" --help
is "$OUT" "$help" "--help is help"

mapfile -t commands < <(sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$help")
[ "${#commands[@]}" -ge 3 ]
ok $? "the list of commands was understood"

for command in "${commands[@]}"; do
	run "$MIGSAFE" "$command" --help
	status_is 0 "$command --help"
	like "$OUT" "^usage: migsafe ${command} " "$command --help: usage line"
	for option in --json --config --help; do
		like "$OUT" "  $option " "$command --help names $option"
	done
	[ "$(wc -L <<<"$OUT")" -le 120 ] || [ "$command" = settings ]
	ok $? "$command --help fits the screen"
	own=$OUT
	run "$MIGSAFE" help "$command"
	is "$OUT" "$own" "help $command is $command --help"
	run "$MIGSAFE" "$command" --no-such-option --help
	is "$OUT" "$own" "$command: --help goes before a wrong option"

	run "$MIGSAFE" "$command" --no-such-option
	status_is 64 "$command: unknown option"
	like "$ERR" 'unrecognized option "--no-such-option"' "$command: the unknown option is named"
	is "$OUT" "" "$command: nothing on stdout"
	run "$MIGSAFE" "$command" --no-such-option --json
	status_is 64 "$command --json: unknown option"
	is "$(jq -r .error.kind <<<"$OUT")" usage "$command --json: error document"
	run "$MIGSAFE" "$command" -x
	status_is 64 "$command: short option"
	run "$MIGSAFE" "$command" --config
	status_is 64 "$command: --config without a file"
	run "$MIGSAFE" "$command" --json=1
	status_is 64 "$command: --json takes no value"
	run "$MIGSAFE" "$command" a b c d e f
	status_is 64 "$command: too many operands"
	run "$MIGSAFE" "$command" --lock-timeout
	status_is 64 "$command: setting without a value"
	run "$MIGSAFE" "$command" --no-backup-after=off
	status_is 64 "$command: --no-... takes no value"
	run "$MIGSAFE" "$command" --no-attempts
	status_is 64 "$command: --no-... of what is no switch"
done

run "$MIGSAFE" restore
status_is 64 "restore without an ID"
like "$ERR" '"migsafe list" shows the backups' "says where it is found"

run "$MIGSAFE"
status_is 64 "no command"
like "$ERR" 'hint: Run "migsafe help"' "no command: where to look"
run "$MIGSAFE" setings
status_is 64 "unknown command"
like "$ERR" 'unrecognized command "setings"' "the unknown command is named"
like "$ERR" 'Perhaps "settings" is meant' "and what may have been meant"
run "$MIGSAFE" help setings
status_is 64 "help of an unknown command"
run "$MIGSAFE" setings --json
is "$(jq -r .error.kind <<<"$OUT")" usage "unknown command with --json"
run "$MIGSAFE" --json settings
status_is 64 "an option before the command"
run "$MIGSAFE" settings --lock-timout 1s
like "$ERR" 'Perhaps "--lock-timeout" is meant' "a mistyped setting"
run "$MIGSAFE" settings --markdwn
like "$ERR" 'Perhaps "--markdown" is meant' "a mistyped option of the command"
run "$MIGSAFE" settings -- --json
status_is 64 "after -- everything is an operand"
is "$OUT" "" "also --json"

run bash -c '"$1" help >/dev/full' _ "$MIGSAFE"
status_is 71 "a full disk behind stdout"
like "$ERR" 'could not write to standard output' "and says so"
run bash -c 'set -o pipefail; "$1" settings --help | true' _ "$MIGSAFE"
status_is 0 "a reader that leaves early is no failure"
done_testing
