#!/usr/bin/env bash
# Backups while others truncate, rewrite, drop, make and fill tables: each is one consistent moment, or names who was
# in the way; never a table that looks empty.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/fault.sh
. "$ROOT/tests/fault/fault.sh"

db_create app
DATABASE_URL=$(db_url app)
sql app "CREATE TABLE account (id int PRIMARY KEY, cents bigint NOT NULL);
	CREATE TABLE bank (id int PRIMARY KEY, cents bigint NOT NULL);
	INSERT INTO account SELECT i, 100 FROM generate_series(1, 30000) i;
	INSERT INTO bank SELECT i, 100 FROM generate_series(1, 100) i;
	CREATE TABLE entry (n bigserial PRIMARY KEY, what text);
	CREATE TABLE entries (count bigint NOT NULL);
	INSERT INTO entries VALUES (0);
	CREATE TABLE refilled AS SELECT i FROM generate_series(1, 500) i;
	CREATE TABLE rewritten AS SELECT i, i::text AS t FROM generate_series(1, 1000) i;
	CREATE TABLE replaced AS SELECT i FROM generate_series(1, 50) i;
	CREATE TABLE fat AS SELECT i, repeat('x', 100) AS t FROM generate_series(1, 2000) i;
	CREATE TABLE told (v int);
	ANALYZE" || bail "the tables could not be made"

# What holds at every moment, as one line.
RELATIONS="SELECT (SELECT sum(cents) FROM account) + (SELECT sum(cents) FROM bank) AS cents,
	(SELECT count(*) FROM entry) = (SELECT count FROM entries) AS entries, (SELECT count(*) FROM refilled) AS refilled,
	(SELECT count(*) FROM rewritten) AS rewritten, (SELECT count(*) FROM replaced) AS replaced, (SELECT count(*) FROM fat) AS fat"
WANT="$(sql app "$RELATIONS")"
is "$WANT" '3010000|t|500|1000|50|2000' "the relations hold at the start"

loop() { # NAME SQL: again and again until $T/stop is there; its psql reconnects when it was ended
	(
		for ((i = 0; i < 20; i++)); do printf '%s\n' "$2"; done >"$T/loop.$1"
		while [ ! -e "$T/stop" ]; do
			psql_as postgres app -v ON_ERROR_STOP=0 -f "$T/loop.$1" >/dev/null 2>>"$T/loop.$1.err"
			echo round >>"$T/loop.$1.rounds"
		done
	) &
}

# DDL that waits for a table to which no worker has come yet ends a backup: some must find a gap.
PAUSE='SELECT pg_sleep(random() * 3);'
# Held for a while, so that backups come to wait for it: what they see then must be what it left.
HELD='SELECT pg_sleep(random());'
loop transfer "BEGIN; UPDATE account SET cents = cents - 7 WHERE id = (SELECT 1 + (random() * 29999)::int);
	SELECT pg_sleep(0.001); UPDATE bank SET cents = cents + 7 WHERE id = (SELECT 1 + (random() * 99)::int); COMMIT;"
loop entry "BEGIN; INSERT INTO entry (what) SELECT 'x' FROM generate_series(1, 5); UPDATE entries SET count = count + 5; COMMIT;"
loop refill "BEGIN; TRUNCATE refilled; INSERT INTO refilled SELECT generate_series(1, 500); $HELD COMMIT; $PAUSE"
loop rewrite "BEGIN; ALTER TABLE rewritten ALTER COLUMN i TYPE bigint; $HELD COMMIT; $PAUSE ALTER TABLE rewritten ALTER COLUMN i TYPE int; $PAUSE"
loop replace "BEGIN; DROP TABLE replaced; CREATE TABLE replaced AS SELECT generate_series(1, 50) AS i; COMMIT; $PAUSE"
loop vacuum "VACUUM FULL fat; $PAUSE"
loop make "CREATE TABLE passing (i int); INSERT INTO passing VALUES (1); $PAUSE DROP TABLE passing; $PAUSE"

bad='' good=0 refused=0
for ((round = 1; round <= 60 && (good < 6 || round <= 12); round++)); do
	run "$MIGSAFE" backup --kind full --json --jobs 4 --split-size 1MB --lock-timeout 3s
	case $RC in
	0)
		id=$(jq -r '.backups[0].id' <<<"$OUT")
		run "$MIGSAFE" restore "$id" --into "$(db_name copy)"
		[ "$RC" = 0 ] || bad+="$round: restore: $RC $ERR; "
		got=$(sql copy "$RELATIONS" 2>&1)
		[ "$got" = "${WANT}" ] || bad+="$round: $got; "
		db_drop copy
		rm -rf "${MIGSAFE_BACKUP_DIR:?}/$id"
		good=$((good + 1))
		;;
	79)
		[[ $OUT =~ Process\ [0-9]+|did\ not\ hold\ still|no\ lock\ to\ be\ had ]] || bad+="$round: nobody is named: $OUT; "
		refused=$((refused + 1))
		;;
	*) bad+="$round: status $RC: $OUT; " ;;
	esac
	[ -z "$(leftovers)" ] || bad+="$round: left: $(leftovers); "
done
touch "$T/stop"
sql postgres "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = '$(db_name app)' AND query LIKE '%pg_sleep(random()%'" >"$T/ignored"
wait
is "$bad" "" "every backup is one moment, or says who was in the way"
diag "$good were taken, $refused refused"
[ "$good" -ge 6 ]
ok $? "enough of them were taken ($good)"
for name in transfer entry refill rewrite replace vacuum make; do
	[ -s "$T/loop.$name.rounds" ]
	ok $? "others were at work: $name"
	unlike "$(cat "$T/loop.$name.err")" 'deadlock' "and not ended by a deadlock: $name"
done
is "$(sql app "$RELATIONS")" "$WANT" "the relations hold at the end"
nothing_left "after all" app

# --- DDL that waits behind the backup, before a worker came to the table --------------------------------------------

sql app "CREATE TABLE noise AS SELECT i AS id, repeat(md5(i::text), 8) AS v FROM generate_series(1, 200000) i; ANALYZE noise"
waits() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$(db_name app)' AND wait_event_type = 'Lock'")" = 1 ]; }
for ddl in 'ALTER TABLE told ADD COLUMN w int' 'TRUNCATE told' 'VACUUM FULL told' 'DROP TABLE told'; do
	sql app 'INSERT INTO told (v) VALUES (0)' # an empty one is not read
	start backup --jobs 1
	isnt "$(held_at 'COPY .*noise.* TO stdout')" "" "$ddl: a worker copies another table"
	bg_sql app "SET application_name = 'the migration'"
	bg_send "$BG" "$ddl"
	wait_for 20 waits
	ok $? "$ddl: it waits behind the backup"
	go_on
	ended
	status_is 79 "$ddl: ends the backup"
	like "$ERR" "Process [0-9]+ \(the migration\) waits for an ACCESS EXCLUSIVE lock on table \"public\".\"told\": ${ddl:0:8}" "$ddl: who is named"
	wait_for 20 bg_settled "$BG"
	ok $? "$ddl: it goes on"
	bg_kill "$BG"
	nothing_left "$ddl" app
	is "$(listed)" "" "$ddl: nothing is listed"
done

# Made, or dropped and gone, while a worker is at another table: what was there at the moment is in the backup.
sql app "CREATE TABLE told (v int); INSERT INTO told VALUES (1), (2)"
start backup --jobs 1 --kind full
held_at 'COPY .*noise.* TO stdout' >"$T/ignored"
sql app "CREATE TABLE later AS SELECT 1 AS i; INSERT INTO told VALUES (3); DELETE FROM refilled WHERE i <= 100"
go_on
ended
status_is 0 "tables made and rows changed meanwhile are no matter"
id=$(listed)
is "$(jq -r '.tables[] | select(.name | IN("told", "later", "refilled")) | "\(.name) \(.rows)"' "$MIGSAFE_BACKUP_DIR/$id/manifest.json" | paste -sd' ')" \
	"refilled 500 told 2" "and not in the backup"
run "$MIGSAFE" verify "$id" --level restore
status_is 0 "which is good"
rm -rf "${MIGSAFE_BACKUP_DIR:?}/$id"

# --- a deadlock with the locks of the backup --------------------------------------------------------------------------

sql app 'CREATE TABLE x_first (i int); CREATE TABLE x_second (i int); DROP TABLE noise'
bg_sql app 'BEGIN; LOCK TABLE x_second'
start backup --lock-timeout 30s
wait_for 20 waits
ok $? "a backup waits for the second of two tables"
bg_send "$BG" 'LOCK TABLE x_first; COMMIT'
wait_for 20 bg_settled "$BG"
bg_kill "$BG"
ended
status_is 0 "whoever of the two is ended, the backup is taken"
is "$(listed | wc -l)" 2 "and listed"
nothing_left "deadlock" app
done_testing
