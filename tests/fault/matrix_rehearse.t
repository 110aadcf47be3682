#!/usr/bin/env bash
# A deploy with a rehearsal and a standby, killed with SIGKILL at each record of its journal: all is as before.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
matrix_base
MODE='split'
prepare() { :; }

# Passes on every copy, and fails half way in live alone.
mkdir "$APP/prisma/migrations/20270101000001_live_only"
cat >"$APP/prisma/migrations/20270101000001_live_only/migration.sql" <<'SQL'
CREATE TABLE "Coupon" ("code" TEXT NOT NULL PRIMARY KEY);
UPDATE "Order" SET "totalCents" = 1;
DO $$ BEGIN
	IF current_database() NOT LIKE '%\_\_migsafe\_%' THEN RAISE 'not in live'; END IF;
END $$;
SQL
WANT=20
scenario deploy --attempts 1 --rehearse always --fence off
isnt "$(journal_of | jq -r 'select(.data.part == "standby")')" '' 'undisturbed: a standby was proven'
for i in "${!POINTS[@]}"; do
	[ "$i" -lt "$(point_number 'rehearse begin')" ] || a_case "after:$i" killed
done
matrix_done
