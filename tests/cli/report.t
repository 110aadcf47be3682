#!/usr/bin/env bash
# `report` shows a run from its report, an interrupted one from its journal, and the newest by default.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

report() {
	run "$MIGSAFE" report --state-dir "$T/state" "$@"
}

journal() { # RUN LINE...
	mkdir -p "state/runs/$1"
	printf '%s\n' "${@:2}" >"state/runs/$1/journal.jsonl"
}

report
status_is 66 "no run yet"
like "$ERR" "no run" "is said"

journal 20261120_100000_aaaa \
	'{"v":1,"seq":1,"at":"2026-11-20T10:00:00.000Z","run":"20261120_100000_aaaa","command":"deploy","step":"run","event":"begin","data":{}}' \
	'{"v":1,"seq":2,"at":"2026-11-20T10:00:09.000Z","run":"20261120_100000_aaaa","command":"deploy","step":"run","event":"verdict","data":{"verdict":"restored","exit":20}}'
cat >state/runs/20261120_100000_aaaa/report.json <<'END'
{"format":1,"run":"20261120_100000_aaaa","command":"deploy","verdict":"restored","exit":20,
 "started_at":"2026-11-20T10:00:00.000Z","elapsed_ms":9000,"database":"app","host":"db",
 "error":{"kind":"restored","sqlstate":"23502","message":"migration 1_x failed","detail":null,"hint":"Look."},
 "kept":{"name":"app__kept","bytes":4096,"drop":"DROP DATABASE \"app__kept\";"},"swap_blocked_ms":113,
 "warnings":["one|two"],"next":"Mend it."}
END
journal 20261120_110000_bbbb \
	'{"v":1,"seq":1,"at":"2026-11-20T11:00:00.000Z","run":"20261120_110000_bbbb","command":"deploy","step":"lock","event":"begin","data":{}}' \
	'{"v":1,"seq":2,"at":"2026-11-20T11:00:01.000Z","run":"20261120_110000_bbbb","command":"deploy","step":"migrate","event":"begin","data":{}}'

report 20261120_100000_aaaa
status_is 0 "a run by its id"
is "${OUT%%$'\n'*}" "deploy 20261120_100000_aaaa of app at db: restored (exit 20)" "its first line says it all"
like "$OUT" "migration 1_x failed \(SQLSTATE 23502\)" "the error"
like "$OUT" "app__kept, 4.0 kB; newcomers waited 113 ms" "the kept database"
like "$OUT" "next: Mend it\." "what to do"
report 20261120_100000_aaaa --format markdown
like "$OUT" '^## :x: deploy 20261120\\_100000\\_aaaa' "as Markdown"
like "$OUT" 'one\\\|two' "with signs escaped"
report 20261120_100000_aaaa --json
is "$(jq -c '[.format, .verdict, .exit, .kept.bytes, .error.hint, .migrations]' <<<"$OUT")" '[1,"restored",20,4096,"Look.",[]]' "as JSON"
report 20261120_100000_aaaa --format json
is "$(jq -r .run <<<"$OUT")" 20261120_100000_aaaa "--format json is the same"

report
status_is 0 "the newest by default"
like "$OUT" "20261120_110000_bbbb.*not ended" "which was interrupted"
like "$OUT" "2 records: migrate begin at 2026-11-20T11:00:01" "and says how far it came"
like "$OUT" "migsafe recover" "and what to do"

report nothing
status_is 66 "no such run"
report ../runs
status_is 66 "a path is no run"
report 20261120_100000_aaaa --format pdf
status_is 64 "an unknown format"
echo '{"format":2,"run":"x","command":"deploy"}' >state/runs/20261120_100000_aaaa/report.json
report 20261120_100000_aaaa
status_is 76 "a newer format is refused"
like "$ERR" "newer" "and said"
done_testing
