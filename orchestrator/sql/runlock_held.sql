-- Does this very session hold the advisory lock with key $1?  (a bigint key is split over classid and objid)
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid = pg_catalog.pg_backend_pid()
       AND ((classid::bigint << 32) | objid::bigint) = $1::bigint) AS held;
