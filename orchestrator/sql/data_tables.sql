-- The relations that a restore of data may meet, as the role of this session sees them.  root: of
-- the partitioned table that rows of a partition go through.  undeletable: the server refuses DELETE,
-- because a publication would tell of it and there is no replica identity to tell by.
WITH published AS MATERIALIZED (
    SELECT c.oid
    FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname
    JOIN pg_namespace n ON n.nspname = t.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
    WHERE p.pubdelete
), deaf AS MATERIALIZED (
    SELECT c.oid, c.relispartition
    FROM pg_class c
    WHERE c.relkind = 'r' AND (c.relreplident = 'n' OR c.relreplident = 'd'
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate))
      AND (c.oid IN (SELECT oid FROM published)
           OR c.relispartition AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a JOIN published p ON p.oid = a.relid))
), undeletable AS MATERIALIZED (
    SELECT oid FROM deaf
    UNION
    SELECT a.relid FROM deaf, pg_partition_ancestors(deaf.oid) a WHERE deaf.relispartition
)
SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid::text END AS root,
       row_security_active(c.oid) AS secured,
       (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes,
       pg_has_role(c.relowner, 'USAGE') AS owned,
       has_table_privilege(c.oid, 'INSERT') AS insertable,
       c.oid IN (SELECT oid FROM undeletable) AS undeletable
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
