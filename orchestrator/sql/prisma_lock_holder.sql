-- Who holds Prisma's advisory lock in database $1.  A waiter whose client is dead stays queued
-- until it is granted the lock; only then it counts.
SELECT l.pid, a.application_name, host(a.client_addr) AS client
FROM pg_locks l
JOIN pg_database d ON d.oid = l.database
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE d.datname = $1 AND l.locktype = 'advisory' AND l.granted
  AND l.classid = 0 AND l.objid = 72707369 AND l.objsubid = 1
