-- Sessions that wait for a lock, and whom they wait for.  From 14 on only waits of a second or more.
SELECT DISTINCT ON (l.pid)
       'pid ' || l.pid AS target,
       format('waits for %s on %s, held by %s', l.mode,
              coalesce((SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
                        JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE c.oid = l.relation), l.locktype),
              coalesce((SELECT string_agg(format('pid %s', b.pid)
                                          || coalesce(' (' || nullif(a.application_name, '') || ')', ''),
                                          ', ' ORDER BY b.pid)
                        FROM unnest(pg_blocking_pids(l.pid)) AS b (pid)
                        LEFT JOIN pg_stat_activity a ON a.pid = b.pid), 'nobody any more')) AS message
FROM pg_locks l
LEFT JOIN pg_stat_activity w ON w.pid = l.pid
WHERE NOT l.granted
  AND w.datname = current_database()
  AND CASE WHEN to_jsonb(l) ? 'waitstart'
           THEN (to_jsonb(l) ->> 'waitstart')::timestamptz <= clock_timestamp() - interval '1 s'
           ELSE true END
ORDER BY l.pid;
