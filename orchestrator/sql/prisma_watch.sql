-- Prisma's sessions ($2 = application_name) in live ($1), and who blocks those that wait for a lock.
SELECT a.pid, a.query AS waiting, b.pid AS blocker, b.application_name AS application,
       b.query AS blocking_query
  FROM pg_stat_activity a
  LEFT JOIN LATERAL unnest(CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) END) AS p(pid) ON true
  LEFT JOIN pg_stat_activity b ON b.pid = p.pid
 WHERE a.datname = $1 AND a.application_name = $2;
