-- Who else is in this database: sessions, those of which this role sees next to nothing, those that
-- write or hold a lock as one who writes does.  Autovacuum, replication and ours do not count.
SELECT count(*) AS sessions,
       count(*) FILTER (WHERE s.backend_start IS NULL) AS unreadable,
       count(*) FILTER (WHERE s.backend_xid IS NOT NULL OR EXISTS (
           SELECT FROM pg_locks l
            WHERE l.pid = s.pid AND l.granted AND l.locktype = 'relation' AND l.database = d.oid
              AND l.mode NOT IN ('AccessShareLock', 'RowShareLock'))) AS writers
FROM pg_stat_get_activity(NULL) s
JOIN pg_database d ON d.oid = s.datid AND d.datname = current_database()
WHERE s.pid <> pg_backend_pid() AND s.usesysid IS NOT NULL
  AND s.backend_type IS DISTINCT FROM 'walsender'
  AND s.backend_type IS DISTINCT FROM 'parallel worker'
  AND s.application_name IS DISTINCT FROM 'migsafe' AND NOT starts_with(s.application_name, 'migsafe ')
