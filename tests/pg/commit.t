#!/usr/bin/env bash
# A restore that is one transaction and is stopped, or loses its connection, while the server commits: what is said of it is
# what became of it.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/pg/restore.sh
. "$ROOT/tests/pg/restore.sh"

mkdir "$T/proxy"
"$ROOT/tests/pg/commit_proxy.py" "$T/proxy" "$TEST_PGHOST/.s.PGSQL.$TEST_PGPORT" 2>"$T/proxy.log" &
PROXY=$!
trap 'kill "$PROXY"; test_end' EXIT
wait_for 10 test -S "$T/proxy/.s.PGSQL.5432" || bail "no proxy: $(cat "$T/proxy.log")"

sql app "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'then' FROM generate_series(1, 9) i" || bail 'no table'
run "$MIGSAFE" backup --json
FULL=$(jq -r '.backups[] | select(.kind == "full") | .id' <<<"$OUT")
DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")
DATABASE_URL=$(TEST_PGHOST=$T/proxy TEST_PGPORT=5432 db_url app)

restore() { # HOW OPTION...: what happens while the server commits: answer, cut, INT
	local how=$1
	shift
	sql app "UPDATE t SET v = 'now'"
	rm -f "$T"/proxy/{held,answer,cut}
	env --default-signal=INT "$MIGSAFE" restore "$@" --yes >"$T/out" 2>"$T/err" &
	local pid=$!
	wait_for 60 test -e "$T/proxy/held" || bail "no COMMIT: $(cat "$T/err")"
	if [ "$how" = INT ]; then
		kill -INT "$pid"
		sleep 1
		how=answer
	fi
	touch "$T/proxy/$how"
	wait "$pid"
	RC=$?
	OUT=$(cat "$T/out") ERR=$(cat "$T/err")
	is "$(sql app 'SELECT DISTINCT v FROM t')" 'then' "the server has committed"
}

verdict() { # -> of the last run
	"$MIGSAFE" report --json 2>"$T/ignored" | jq -r .verdict
}

for how in answer cut INT; do
	restore "$how" "$FULL" --in-place
	unlike "$ERR" 'Nothing was changed' "in place, $how: that is what is said"
	like "$OUT" 'restored in place' "in place, $how: and told"
	is "$(verdict)" restored "in place, $how: it is the verdict"
	[ "$how" = INT ] || status_is 0 "in place, $how: the status"
done
for how in cut INT; do
	restore "$how" "$DATA" --replace
	status_is 0 "data, $how: the status"
	is "$(verdict)" restored "data, $how: it is the verdict"
done
done_testing
