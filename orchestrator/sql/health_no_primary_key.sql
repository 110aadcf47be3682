-- Tables without a primary key.  Left out: partitions (the whole has it), what belongs to an
-- extension, and the tables that Prisma makes for implicit many-to-many relations (_XToY, columns
-- A and B, unique together).
SELECT n.nspname || '.' || c.relname AS target,
       'table has no primary key' AS message
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND NOT c.relispartition
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  AND NOT (starts_with(c.relname, '_')
           AND EXISTS (SELECT FROM pg_index i
                       WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 2
                         AND ARRAY['A', 'B']::name[] = ARRAY(
                               SELECT a.attname FROM pg_attribute a
                               WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) ORDER BY 1)))
ORDER BY 1;
