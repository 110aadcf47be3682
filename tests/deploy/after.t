#!/usr/bin/env bash
# `migsafe health --after-deploy`: what the last deploy found before itself does not count, what came since does.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"

shop_base
shop_new after
break_index() { # NAME: leaves an invalid index, as a failed CREATE INDEX CONCURRENTLY does
	sql_as owner after "CREATE TABLE $1 (id int PRIMARY KEY, v int); INSERT INTO $1 VALUES (1, 1), (2, 1)"
	psql_as owner after -c "CREATE UNIQUE INDEX CONCURRENTLY $1_v ON $1 (v)" >/dev/null 2>&1
}

break_index old
migsafe_for after health --after-deploy
status_is 12 "before any deploy every error counts"
app_migration "$APP" good_add_column
migsafe_for after deploy
status_is 0 "a deploy goes on over what was there before"
migsafe_for after health
status_is 12 "health alone still says it"
migsafe_for after health --after-deploy
status_is 0 "after the deploy it does not count"
like "$OUT" 'allowed: invalid-index: public\.old_v.*allowed by deploy [0-9_a-f]+, which found it already' "it is told all the same"
break_index new
migsafe_for after health --after-deploy
status_is 12 "what came since counts"
like "$OUT" 'error: invalid-index: public\.new_v' "and is named"
shop_new other
sql_as owner other "CREATE TABLE old (id int PRIMARY KEY, v int); INSERT INTO old VALUES (1, 1), (2, 1)"
psql_as owner other -c 'CREATE UNIQUE INDEX CONCURRENTLY old_v ON old (v)' >/dev/null 2>&1
BACKUPS=$T/backups_after
migsafe_for other health --after-deploy
status_is 12 "a deploy of another database says nothing of this one"
done_testing
