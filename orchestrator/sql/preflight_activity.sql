-- What is going on that a deploy should know: one line of text a row.  Tolerates missing rights
-- (without pg_read_all_stats most columns of foreign sessions are NULL).
SELECT format('transaction of session %s (%s) is open for %s: a migration would wait for it',
              pid, coalesce(nullif(application_name, ''), usename, 'unknown'),
              date_trunc('second', clock_timestamp() - xact_start)) AS warning
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND xact_start < clock_timestamp() - interval '1 minute'
UNION ALL
SELECT format('session %s dumps this database (%s): its locks would block the migration',
              pid, application_name)
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name ~ '^pg_dump'
UNION ALL
SELECT format('a replica is attached (%s): its sessions opened before a swap keep reading the kept database',
              coalesce(nullif(application_name, ''), client_addr::text, 'unknown'))
  FROM pg_stat_replication
 WHERE application_name NOT LIKE 'pg_basebackup%';
