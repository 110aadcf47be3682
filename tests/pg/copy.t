#!/usr/bin/env bash
# COPY in a session: rows out and in, what fails on the way, and a stop at any time. Nothing hangs.
# shellcheck disable=SC2317 # functions given to wait_for are reachable
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
DRIVER=${MIGSAFE%/*}/tests/copy_driver

copy() { # CASE -> what the driver says; a hang is status 124
	timeout -s KILL 60 "$DRIVER" "$(db_name app)" "$1" || echo "status $?"
}

db_create app
sql app <<'SQL'
CREATE TABLE public.t (id int PRIMARY KEY, name text);
CREATE TABLE public.big AS SELECT g AS id, repeat('x', 100) AS name FROM generate_series(1, 100000) g;
SQL

is "$(copy out)" "100000 rows, 100000 told, 10688895 bytes, ok, 0" "all rows come out"
is "$(copy out-of-nothing)" "query 42P01, 0" "a table that is not there, and the session goes on"
is "$(copy out-fails-late)" "query 22012, 0" "an error after rows, and the session goes on"
is "$(copy wrong-way)" "internal, session lost" "a COPY of the other direction is no hang"
is "$(copy no-copy)" "internal, 0" "a statement that is no COPY"
is "$(copy exec)" "internal, session lost" "a COPY as a plain statement is no hang"
is "$(copy in-nothing)" "ok, 0" "nothing goes in"
is "$(copy in-given-up)" "ok, 0" "nothing stays of a COPY that is given up"
is "$(copy in-bad-row)" "query 22P02, 0" "nothing stays of one with a bad row, and the server says why"
# Either the stop comes before the server's answer, or after it.
like "$(copy stop-before-in)" '^cancelled, (session lost|0)$' "a stop as it begins: in"
is "$(copy stop-while-sending)" "cancelled, 0" "a stop is seen between two pieces, nothing stays"
like "$(copy stop-before-out)" '^cancelled, (session lost|0)$' "a stop as it begins: out"
is "$(copy stop-between-rows)" "cancelled, session lost" "a stop between two rows"
is "$(copy in)" "100000 rows, ok, 100000" "all rows go in"
is "$(copy in)" "query 23505, 100000" "but not twice"
gone() {
	[ "$(sql app "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")" = 0 ]
}
wait_for 30 gone
ok $? "no session stays"

done_testing
