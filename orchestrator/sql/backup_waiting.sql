-- Does the session named $1 wait for a lock, and for whom? No row: it does not.
SELECT b.pid AS blocker, coalesce(nullif(b.application_name, ''), 'unknown') AS application,
       left(regexp_replace(b.query, '\s+', ' ', 'g'), 200) AS query
FROM pg_stat_activity a
LEFT JOIN LATERAL unnest(pg_blocking_pids(a.pid)) p (pid) ON true
LEFT JOIN pg_stat_activity b ON b.pid = p.pid
WHERE a.application_name = $1 AND a.wait_event_type = 'Lock'
LIMIT 1
