-- Who keeps us from ACCESS SHARE on one of these tables ($1: an array of oids): whoever has, or
-- waits for, ACCESS EXCLUSIVE. A prepared transaction has no pid.
SELECT l.pid, l.granted, c.relname AS name, n.nspname AS schema,
       coalesce(nullif(a.application_name, ''), 'unknown') AS application,
       left(regexp_replace(a.query, '\s+', ' ', 'g'), 200) AS query
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation = ANY ($1::oid[])
  AND l.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY l.granted DESC, a.xact_start
LIMIT 1
