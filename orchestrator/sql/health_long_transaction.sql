-- Transactions open for more than five minutes, prepared ones too.  Their statements are not shown:
-- they may hold data.  Sessions that this role may not see (no pg_read_all_stats) are not found.
SELECT 'pid ' || a.pid AS target,
       format('transaction of %s (%s) is open for %s, state "%s"',
              coalesce(nullif(a.application_name, ''), 'a session without a name'), a.usename,
              date_trunc('second', now() - a.xact_start), a.state) AS message
FROM pg_stat_activity a
WHERE a.datname = current_database()
  AND a.backend_type = 'client backend'
  AND a.pid <> pg_backend_pid()
  AND a.xact_start < now() - interval '5 min'
UNION ALL
SELECT 'prepared transaction ' || p.gid,
       format('transaction of role %I is prepared for %s and neither committed nor rolled back',
              p.owner, date_trunc('second', now() - p.prepared))
FROM pg_prepared_xacts p
WHERE p.database = current_database()
  AND p.prepared < now() - interval '5 min'
ORDER BY 1;
