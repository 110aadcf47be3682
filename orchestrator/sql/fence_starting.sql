-- Sessions that are starting in database $1 (oid): each holds this lock from before it reads the
-- database's settings until pg_stat_activity shows it.
SELECT l.pid FROM pg_locks l
WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND l.objid = $1::oid
  AND l.mode = 'RowExclusiveLock' AND l.pid <> pg_backend_pid()
