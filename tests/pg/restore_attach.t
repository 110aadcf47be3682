#!/usr/bin/env bash
# Indexes of partitions are attached before foreign keys that refer to them are made: beside each
# other pg_restore -j has the server see a deadlock, about one time in four for these tables.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

db_create app
{
	cat <<'END'
CREATE TABLE top (id int, at date NOT NULL, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE INDEX ON top (v);
CREATE TABLE part PARTITION OF top FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (id);
END
	for i in 1 2 3 4 5 6 7 8; do
		echo "CREATE TABLE part_$i PARTITION OF part FOR VALUES IN ($i);"
		echo "CREATE TABLE refers_$i (id int, at date, FOREIGN KEY (id, at) REFERENCES top);"
	done
} | sql app

run "$MIGSAFE" backup --url "$(db_url app)" --backup-dir "$T/b" --kind full
status_is 0 "the database is backed up"
id=$(cd "$T/b" && echo *_full)
for i in 1 2 3 4 5 6 7 8; do
	run "$MIGSAFE" restore "$id" --into "$(db_name "again$i")" --url "$(db_url app)" --backup-dir "$T/b" --jobs 4
	status_is 0 "restored with 4 jobs, time $i"
done
is "$(sql again8 "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0")" 8 "all keys are there"
done_testing
