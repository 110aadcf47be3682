-- Takes the advisory lock with key $1 here, unless another session has it in whatever database: such locks
-- are a database's own, and another migsafe may work from another maintenance database.
SELECT CASE WHEN NOT got.it THEN false
            WHEN EXISTS (SELECT FROM pg_catalog.pg_locks
                          WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                            AND pid <> pg_catalog.pg_backend_pid()
                            AND ((classid::bigint << 32) | objid::bigint) = $1::bigint)
            THEN NOT pg_catalog.pg_advisory_unlock($1::bigint)
            ELSE true END
  FROM (SELECT pg_catalog.pg_try_advisory_lock($1::bigint) AS it OFFSET 0) got
