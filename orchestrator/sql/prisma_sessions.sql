-- Sessions of Prisma ($2, application_name) in the live database ($1), one row for each session that
-- one of them waits for (pid 0: a prepared transaction).  $1 NULL: in any database, and those that
-- have more after that name and a blank.  Without pg_read_all_stats the texts of other roles'
-- sessions are NULL or "<insufficient privilege>".
SELECT s.pid, s.query AS statement, w.pid AS blocker, b.application_name AS application, b.query
FROM pg_stat_activity s
LEFT JOIN LATERAL unnest(pg_blocking_pids(s.pid)) AS w (pid) ON true
LEFT JOIN pg_stat_activity b ON b.pid = w.pid
WHERE CASE WHEN $1::text IS NULL
           THEN s.application_name = $2 OR starts_with(s.application_name, $2 || ' ')
           ELSE s.datname = $1 AND s.application_name = $2 END
  AND s.pid <> pg_backend_pid()
ORDER BY s.pid, w.pid
