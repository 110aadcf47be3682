-- Who has, or waits for, a lock on one of these tables ($1: an array of oids) that a writer of all
-- of it conflicts with.
SELECT l.pid, l.granted, l.mode, n.nspname AS schema, c.relname AS name,
       coalesce(nullif(a.application_name, ''), 'unknown') AS application,
       left(regexp_replace(a.query, '\s+', ' ', 'g'), 200) AS query
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = ANY ($1::oid[])
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY l.granted DESC, l.mode IN ('AccessShareLock', 'RowShareLock'), a.xact_start
LIMIT 1
