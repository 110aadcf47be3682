-- Every _prisma_migrations of this database: in which schemas, and may we read it.
-- Plain tables only, as in Prisma's own existence test; temporary ones are other sessions' business.
-- Prisma 8 has none, but a marker of its own.
SELECT n.nspname AS schema,
       c.relname = 'marker' AS is_prisma8,
       has_schema_privilege(n.oid, 'USAGE') AS may_enter,
       has_table_privilege(c.oid, 'SELECT') AS may_read,
       current_user AS role
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND (c.relname = '_prisma_migrations' OR (n.nspname = 'prisma_contract' AND c.relname = 'marker'))
 ORDER BY n.nspname COLLATE "C"
