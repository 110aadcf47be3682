-- Locks on relations of this database that other sessions of this role hold.  Prisma's sessions are
-- of this role; autovacuum's are of none.  AccessShareLock keeps nobody from reading or writing.
SELECT l.relation::bigint AS relation, l.mode, l.pid, l.virtualtransaction AS holder
FROM pg_locks l
JOIN pg_stat_activity s ON s.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.mode <> 'AccessShareLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation >= 16384
  AND l.pid <> pg_backend_pid()
  AND s.usesysid = (SELECT oid FROM pg_roles WHERE rolname = session_user)
