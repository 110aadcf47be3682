-- The sessions of two databases, but for autovacuum, which RENAME ends by itself.
-- By the function, not by pg_stat_activity: that view reads pg_authid, which is locked while a
-- gated swap waits.  Without pg_read_all_stats most columns are NULL.
SELECT s.pid, s.application_name, s.backend_type,
       CASE WHEN s.usesysid IS NOT NULL THEN pg_get_userbyid(s.usesysid) END AS role
FROM pg_stat_get_activity(NULL) s
WHERE s.datid IN ($1::oid, $2::oid) AND s.pid <> pg_backend_pid()
  AND s.backend_type IS DISTINCT FROM 'autovacuum worker'
