#!/usr/bin/env bash
# A standby server that others may only read is backed up; what would write to it says so, and is no verdict on a backup.
# shellcheck source=tests/lib.sh
if [ -z "${TEST_OWN_SERVER-}" ]; then # other tests' tablespaces would be copied onto themselves
	exec env -u TEST_PGHOST -u TEST_PGPORT TEST_OWN_SERVER=1 "$(dirname "$0")/../../scripts/with-cluster.sh" "$0"
fi
. "$(dirname "$0")/../lib.sh"

db_create app
sql app >"$T/ignored" <<'END'
CREATE TABLE a (id serial PRIMARY KEY, v text);
INSERT INTO a (v) SELECT md5(i::text) FROM generate_series(1, 20000) i;
CREATE UNLOGGED TABLE cache (id int);
SELECT lo_from_bytea(4711, 'large');
END

# PostgreSQL refuses to run as root.
as_owner() {
	if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else (cd / && exec "$@"); fi
}
PLACE=$(mktemp -d /tmp/sb.XXXXXX) && chmod 0755 "$PLACE"
[ "$(id -u)" != 0 ] || chown postgres "$PLACE"
stop_standby() {
	as_owner "$TEST_PGBIN/pg_ctl" -D "$PLACE/data" -m immediate -s stop >"$T/ignored" 2>&1
	rm -rf "${PLACE:?}"
}
trap 'stop_standby; test_end' EXIT
as_owner "$TEST_PGBIN/pg_basebackup" -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -D "$PLACE/data" -R -c fast 2>"$T/err" ||
	bail "pg_basebackup: $(cat "$T/err")"
printf "unix_socket_directories = '%s'\nport = 5433\n" "$PLACE" >>"$PLACE/data/postgresql.conf"
as_owner "$TEST_PGBIN/pg_ctl" -D "$PLACE/data" -l "$PLACE/log" -w -t 30 -s start || bail "no standby: $(tail -n 20 "$PLACE/log")"

DATABASE_URL="postgresql://postgres@localhost:5433/$(db_name app)?host=$PLACE"
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR
is "$(psql -XAtq "$DATABASE_URL" -c 'SELECT pg_is_in_recovery()')" t "the server is a standby"
run "$MIGSAFE" backup --jobs 2 --split-size 200kB --json
status_is 0 "its database is backed up, by several sessions"
id=$(jq -r '.backups[] | select(.kind == "full") | .id' <<<"$OUT")
run "$MIGSAFE" verify "$id"
status_is 0 "verified"
run "$MIGSAFE" verify "$id" --level restore
status_is 65 "where nothing can be made, it cannot be restored"
like "$ERR" 'could not create side database .* read-only transaction' "which is said"
is "$(jq -r '.verified[] | .level + " " + .result' "$MIGSAFE_BACKUP_DIR/$id/manifest.json")" "files ok" "and is no verdict on the backup"
run "$MIGSAFE" restore "$id" --yes
is "$RC $(psql -XAtq "$DATABASE_URL" -c 'SELECT count(*) FROM a')" "65 20000" "nor can the standby be restored"

DATABASE_URL=$(db_url app)
run "$MIGSAFE" restore "$id" --into "$(db_name back)" --yes
status_is 0 "the primary takes it"
is "$(sql back "SELECT count(*), (SELECT count(*) FROM cache), convert_from(lo_get(4711), 'UTF8') FROM a")" "20000|0|large" "with all that a standby can read"
done_testing
