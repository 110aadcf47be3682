-- What ANALYZE of the whole database would look at, largest first, but for what is empty or was
-- analyzed already ($1 schemas, $2 names).  A partitioned table stands for its partitions: they are
-- analyzed with it.  Shared catalogs are another's business.
SELECT * FROM (
    SELECT format('%I.%I', n.nspname, c.relname) AS name, c.oid,
           CASE c.relkind WHEN 'p' THEN (SELECT coalesce(sum(pg_relation_size(t.relid)), 0)
                                         FROM pg_partition_tree(c.oid) t WHERE t.isleaf)
                ELSE pg_relation_size(c.oid) END AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p')
      AND NOT c.relispartition AND NOT c.relisshared
      AND c.relpersistence <> 't' AND n.nspname !~ '^pg_toast'
      AND NOT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS done (schema, name)
                      WHERE done.schema = n.nspname::text AND done.name = c.relname::text)
) AS t
WHERE bytes > 0
ORDER BY bytes DESC, oid::bigint
