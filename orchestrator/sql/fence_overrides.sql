-- Roles that have a default_transaction_read_only = off of their own here, which the fence does not
-- hold, and their sessions in this database (pid NULL: none).  What a role has in this database goes
-- before what it has everywhere.
SELECT r.rolname AS role, s.pid, s.application_name
FROM pg_roles r
CROSS JOIN (SELECT oid FROM pg_database WHERE datname = current_database()) d
CROSS JOIN LATERAL (
    SELECT lower(substr(item, strpos(item, '=') + 1)) AS value
      FROM pg_db_role_setting o, unnest(o.setconfig) AS item
     WHERE o.setrole = r.oid AND o.setdatabase IN (0, d.oid)
       AND starts_with(item, 'default_transaction_read_only=')
     ORDER BY o.setdatabase = 0 LIMIT 1) own
LEFT JOIN pg_stat_get_activity(NULL) s
  ON s.usesysid = r.oid AND s.datid = d.oid AND s.pid <> pg_backend_pid()
WHERE r.rolcanlogin AND own.value NOT IN ('on', '1')
  AND NOT starts_with('true', own.value) AND NOT starts_with('yes', own.value)
ORDER BY r.rolname, s.pid
