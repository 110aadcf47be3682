-- Who holds the advisory lock with key $1, in whatever database.
SELECT l.pid, a.application_name, a.client_addr::text AS client
  FROM pg_catalog.pg_locks l
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
   AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint;
