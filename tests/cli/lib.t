#!/usr/bin/env bash
# The test library, its runner and the webhook receiver can fail, and say so.
# shellcheck disable=SC2016 # inner shells expand
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# Writes a test of the given lines and runs it.
test_of() { # LINES
	printf '%s\n' '#!/usr/bin/env bash' ". '$ROOT/tests/lib.sh'" "$1" >"$T/inner.t"
	chmod +x "$T/inner.t"
	run "$T/inner.t"
}

test_of 'ok 0 good; ok 1 bad; is a a good; is a b bad; isnt a a bad; done_testing'
status_is 1 "a test with failures fails"
is "$(grep -c '^ok' <<<"$OUT")" 2 "true conditions are ok"
is "$(grep -c '^not ok' <<<"$OUT")" 3 "false conditions are not ok"
like "$OUT" '#   got:  a' "a mismatch shows both values"
like "$OUT" '1\.\.5' "the plan counts all"

test_of 'like abc b+ good; like abc x bad; unlike abc x good; unlike abc b bad; done_testing'
is "$(grep -oE '^(not )?ok [0-9]' <<<"$OUT" | tr '\n' ' ')" "ok 1 not ok 2 ok 3 not ok 4 " "like and unlike"

test_of 'run sh -c "echo out; echo err >&2; exit 3"; status_is 3 right; status_is 0 wrong; done_testing'
like "$OUT" '^ok 1 - right' "the status is kept"
like "$OUT" 'not ok 2 - wrong.*status 3, want 0.*stdout: out.*stderr: err' "a wrong status shows what was said"

test_of 'ok 0 good; exit 0'
status_is 99 "a test that stops early fails"
unlike "$OUT" '1\.\.' "and has no plan"

test_of 'false_name_of_a_command; done_testing'
like "$ERR" 'not found' "an unknown command is heard of"

test_of 'RUN_TIMEOUT=1 run sleep 20; is "$RC" 124 "time limit"; done_testing'
status_is 0 "a command that hangs is ended"

test_of 'run cat; is "$OUT" "" empty; run cat <<<word; is "$OUT" word given; done_testing'
status_is 0 "standard input is empty unless given"

DATABASE_URL=x PGHOST=x MIGSAFE_GATE=x run bash -c ". '$ROOT/tests/lib.sh'; env; TESTS_DONE=1"
unlike "$OUT" $'(^|\n)(DATABASE_URL|PGHOST|MIGSAFE_GATE)=' "settings of the caller are hidden"

test_of 'touch "$T/file"; pwd; done_testing'
folder=$(head -n 1 <<<"$OUT")
like "$folder" '^/.*/mt\.' "a test works in a folder of its own"
[ ! -e "$folder" ]
ok $? "which is removed"

printf '%s\n' '#!/usr/bin/env bash' ". '$ROOT/tests/lib.sh'" "echo \$T >'$T/started'; run sleep 60" >"$T/inner.t"
"$T/inner.t" >/dev/null &
wait_for 10 test -s "$T/started"
kill -TERM $!
wait $!
is $? 143 "a signal ends a test at once, also while it runs a command"
[ ! -e "$(cat "$T/started")" ]
ok $? "and its folder is removed"

run wait_for 0 false
is "$RC" 1 "wait_for gives up"
run wait_for 1 true
is "$RC" 0 "wait_for succeeds"

# The runner.
mkdir "$T/set"
printf '#!/bin/sh\necho ok 1 - a; echo ok 2 - b; echo 1..2\n' >"$T/set/good.t"
chmod +x "$T/set/good.t"
export TEST_PGHOST="${TEST_PGHOST-}" # the inner runner uses the outer server
export TEST_UNIT_PROGRAMS="$T/set/good.t"
run "$ROOT/tests/run" --jobs 1 "$T/set/good.t"
status_is 0 "the runner: all passed"
is "${OUT##*$'\n'}" "2 passed, 0 failed" "the last line counts"

printf '#!/bin/sh\necho ok 1 - a; echo "not ok 2 - b"; echo "# because" >&2; echo 1..2\n' >"$T/set/bad.t"
printf '#!/bin/sh\necho ok 1 - a; kill -9 $$\n' >"$T/set/dead.t"
printf '#!/bin/sh\necho ok 1 - a; echo 1..1; exit 5\n' >"$T/set/status.t"
printf '#!/bin/sh\nexit 0\n' >"$T/set/silent.t"
printf '#!/bin/sh\necho "1..0 # SKIP no reason"\n' >"$T/set/skipped.t"
printf '#!/bin/sh\nexec sleep 60\n' >"$T/set/slow.t"
chmod +x "$T"/set/*.t
TEST_UNIT_PROGRAMS="$(printf '%s ' "$T"/set/*.t)"
TEST_FILE_TIMEOUT=2 run "$ROOT/tests/run" "$T"/set/*.t
status_is 1 "the runner: some failed"
is "${OUT##*$'\n'}" "5 passed, 5 failed" "each broken file counts"
like "$OUT" 'FAIL +[^ ]*bad.t.*not ok 2 - b.*# because' "a failing file is shown whole"
like "$OUT" 'skip +[^ ]*skipped.t +no reason' "a skipped one with its reason"
like "$OUT" 'slow.t.*# out of time' "a slow one is ended"

run "$ROOT/tests/run" "$T/nowhere"
status_is 64 "an unknown test is a mistake"
mkdir "$T/empty"
run "$ROOT/tests/run" "$T/empty"
status_is 1 "a run without tests fails"
is "${OUT##*$'\n'}" "0 passed, 0 failed" "and says so"

# The receiver.
receiver() { # ARGUMENT...: sets `port` and `receiver`
	rm -f "$T/port" "$T/log"
	"$ROOT/tests/receiver.py" --port-file "$T/port" --log "$T/log" "$@" &
	receiver=$!
	wait_for 10 test -s "$T/port" || bail "the receiver did not start"
	port=$(cat "$T/port")
}

post() { # BODY -> status
	python3 - "$port" "$1" <<-'END'
		import sys, urllib.request, urllib.error
		request = urllib.request.Request(f"http://127.0.0.1:{sys.argv[1]}/hook?a=1", sys.argv[2].encode(), {"X-Test": "yes"})
		try:
		    print(urllib.request.urlopen(request, timeout=2).status)
		except urllib.error.HTTPError as error:
		    print(error.code)
		except OSError:
		    print("no answer")
	END
}

receiver --fail 1 --status 204
is "$(post '{"event":"é"}')" 500 "the receiver fails first"
is "$(post 'no json')" 204 "then answers as told"
is "$(jq -c '[.method, .path, .headers["x-test"], .body, .answered]' "$T/log" | tr '\n' ' ')" \
	'["POST","/hook?a=1","yes",{"event":"é"},500] ["POST","/hook?a=1","yes","no json",204] ' "and keeps what it was sent"
kill "$receiver"
receiver --hang
is "$(post '{}')" "no answer" "it can hang"
kill "$receiver"

done_testing
