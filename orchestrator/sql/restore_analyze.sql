-- What ANALYZE of the whole database would look at, largest first, but for what is empty or was
-- analyzed already ($1 schemas, $2 names).  A partitioned table stands for its partitions: they are
-- analyzed with it.  Not so where a foreign table is among them or inherits from a table: that would
-- ask its server, which may be away.  Shared catalogs are another's business.
WITH RECURSIVE with_foreign AS (
    SELECT i.inhparent AS oid FROM pg_inherits i JOIN pg_class f ON f.oid = i.inhrelid WHERE f.relkind = 'f'
    UNION
    SELECT i.inhparent FROM pg_inherits i JOIN with_foreign w ON w.oid = i.inhrelid
)
SELECT * FROM (
    SELECT format('%I.%I', n.nspname, c.relname) AS name, c.oid,
           CASE c.relkind WHEN 'p' THEN (SELECT coalesce(sum(pg_relation_size(t.relid)), 0)
                                         FROM pg_partition_tree(c.oid) t WHERE t.isleaf)
                ELSE pg_relation_size(c.oid) END AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND c.oid NOT IN (SELECT oid FROM with_foreign)
      AND (NOT c.relispartition OR EXISTS (SELECT FROM pg_inherits i JOIN with_foreign w ON w.oid = i.inhparent
                                           WHERE i.inhrelid = c.oid))
      AND NOT c.relisshared
      AND c.relpersistence <> 't' AND n.nspname !~ '^pg_toast'
      AND NOT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS done (schema, name)
                      WHERE done.schema = n.nspname::text AND done.name = c.relname::text)
) AS t
WHERE bytes > 0
ORDER BY bytes DESC, oid::bigint
