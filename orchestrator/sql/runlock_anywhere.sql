-- Who holds migsafe's advisory lock for the live database $1, whatever the maintenance database is.
SELECT a.application_name
  FROM pg_catalog.pg_locks l
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
   AND ((l.classid::bigint << 32) | l.objid::bigint) = ('x' || substr(md5('migsafe:' || $1::text), 1, 16))::bit(64)::bigint;
