-- Who holds Prisma's advisory lock (72707369, schema-engine's sql-schema-connector) in database $1.
SELECT l.pid, a.application_name
  FROM pg_locks l
  JOIN pg_database d ON d.oid = l.database
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE d.datname = $1 AND l.locktype = 'advisory' AND l.granted
   AND l.classid = 0 AND l.objid = 72707369 AND l.objsubid = 1;
