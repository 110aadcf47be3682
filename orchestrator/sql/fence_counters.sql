-- Rows written since the counters began, of each table of users and of large objects.  Prisma's ledger
-- is left out: migsafe marks rows in it.
SELECT relid::bigint AS oid, format('%I.%I', schemaname, relname) AS name,
       n_tup_ins + n_tup_upd + n_tup_del AS written
FROM pg_stat_all_tables
WHERE ((schemaname <> 'information_schema' AND NOT starts_with(schemaname, 'pg_'))
       OR (schemaname = 'pg_catalog' AND relname = 'pg_largeobject'))
  AND relname <> '_prisma_migrations'
ORDER BY relid::bigint
