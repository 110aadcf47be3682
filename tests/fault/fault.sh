# What the tests of faults share: a database to lose, what must not change of it, what must not be left.
# Sourced after tests/lib.sh.
# shellcheck shell=bash

export DATABASE_URL MIGSAFE_BACKUP_DIR
MIGSAFE_BACKUP_DIR=$T/backups

# fault_database NAME: tables that are cut, packed and compared in every way a backup has.
fault_database() {
	db_create "$1"
	DATABASE_URL=$(db_url "$1")
	sql "$1" >"$T/ignored" <<-'END'
		CREATE TABLE a (id int PRIMARY KEY, v text);
		INSERT INTO a SELECT i, md5(i::text) FROM generate_series(1, 3000) i;
		CREATE TABLE b (id int PRIMARY KEY, v text);
		INSERT INTO b SELECT i, md5((-i)::text) FROM generate_series(1, 2000) i;
		CREATE TABLE big (id int PRIMARY KEY, a int REFERENCES a, v text);
		INSERT INTO big SELECT i, 1 + i % 3000, md5(i::text) || md5((i * 7)::text) FROM generate_series(1, 40000) i;
		CREATE TABLE empty (id int);
		CREATE SEQUENCE s;
		SELECT setval('s', 77), lo_from_bytea(0, decode(repeat('ab', 3000), 'hex'));
		ANALYZE;
	END
	[ "$(sql "$1" 'SELECT count(*) FROM big')" = 40000 ] || bail "the database $1 could not be filled"
}

# shellcheck disable=SC2034 # for the test
take() { # [OPTION...]: backups of one moment; sets FULL and DATA
	run "$MIGSAFE" backup --json "$@"
	[ "$RC" = 0 ] || bail "backup: $ERR"
	FULL=$(jq -r '.backups[] | select(.kind == "full") | .id' <<<"$OUT")
	DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")
}

fingerprint() { # DB
	"$ROOT/scripts/db-fingerprint.sh" "$(db_name "$1")"
}

# live_is FILE DB NAME: is the database what its fingerprint in FILE says?
live_is() {
	fingerprint "$2" >"$T/.now"
	cmp -s "$1" "$T/.now"
	ok $? "$3" || diag "$(diff "$1" "$T/.now" | head -n 20)"
}

glance() { # DB -> what a swap, a loaded row or a dropped table would change; quick
	sql postgres "SELECT oid, datallowconn FROM pg_database WHERE datname = '$(db_name "$1")'"
	sql "$1" "SELECT relname, pg_relation_filenode(oid), (SELECT count(*) FROM pg_attribute WHERE attrelid = c.oid) FROM pg_class c
		WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1"
	sql "$1" 'SELECT count(*), sum(hashtext(t::text)) FROM big t UNION ALL SELECT count(*), sum(hashtext(t::text)) FROM a t
		UNION ALL SELECT count(*), sum(hashtext(t::text)) FROM b t'
}

listed() { # -> ids that `list` tells as usable
	"$MIGSAFE" list --json 2>/dev/null | jq -r '.backups[] | select(.damage == null) | .id' | sort
}

leftovers() { # -> what a backup that failed may not leave below its folder: anything but whole backups
	find "$MIGSAFE_BACKUP_DIR" -mindepth 1 -maxdepth 1 ! -name .migsafe 2>/dev/null | while IFS= read -r folder; do
		[ -s "$folder/manifest.json" ] && [[ $folder != *.partial && $folder != *.removed ]] || printf '%s\n' "${folder##*/}"
	done
}

no_sessions() { # DB: have all sessions of ours ended there?
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE starts_with(datname, '$(db_name "$1")')
		AND (application_name LIKE '%migsafe%' OR application_name LIKE 'pg\\_%')")" = 0 ]
}

# After a command that failed: nothing half is listed or left, no session is open, no database made.
nothing_left() { # NAME DB [DATABASE...]: besides these databases
	is "$(leftovers)" "" "$1: nothing half is left in the folder"
	wait_for 20 no_sessions "$2"
	ok $? "$1: all sessions are closed" ||
		diag "$(sql postgres "SELECT datname, application_name, state, left(query, 80) FROM pg_stat_activity WHERE starts_with(datname, '$(db_name "$2")')")"
	is "$(db_list | grep __migsafe_)" "" "$1: no database is left beside it"
}

# --- a migsafe in the background, held in the middle of what it does

start() { # COMMAND [ARGUMENT...]: in the background; sets PID
	env --default-signal=INT,QUIT "$MIGSAFE" "$@" >"$T/out" 2>"$T/err" &
	PID=$!
}

ended() { # sets RC, OUT, ERR of what was started
	wait "$PID"
	RC=$?
	OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}

# Stops migsafe as soon as a statement of its own matches; prints the pid of that session. Its server then waits too.
held_at() { # QUERY-PATTERN -> pid of the session
	local pid
	pid=$(sql postgres "DO \$\$ DECLARE p int; BEGIN
		FOR i IN 1..6000 LOOP
			PERFORM pg_stat_clear_snapshot();
			SELECT pid INTO p FROM pg_stat_activity WHERE query ~ '$1' AND state = 'active' AND pid <> pg_backend_pid()
				AND application_name ~ 'migsafe' AND starts_with(datname, '$TEST_PREFIX') LIMIT 1;
			EXIT WHEN p IS NOT NULL;
			PERFORM pg_sleep(0.002);
		END LOOP; RAISE WARNING 'pid %', p; END \$\$" 2>&1 | sed -n 's/.*pid \([0-9]*\)$/\1/p')
	kill -STOP "$PID"
	printf '%s' "$pid"
}

go_on() { kill -CONT "$PID"; }

terminate() { # PID of a session
	sql postgres "SELECT pg_terminate_backend($1)" >"$T/ignored"
	wait_for 10 gone "$1"
}
gone() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE pid = $1")" = 0 ]; }
