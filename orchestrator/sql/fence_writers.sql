-- Sessions in database $1 that write in their transaction now.  Every role sees these columns.
SELECT s.pid, s.application_name, pg_get_userbyid(s.usesysid) AS role
FROM pg_stat_get_activity(NULL) s JOIN pg_database d ON d.oid = s.datid
WHERE d.datname = $1 AND s.pid <> pg_backend_pid() AND s.usesysid IS NOT NULL
  AND s.backend_xid IS NOT NULL
