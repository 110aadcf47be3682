-- What ANALYZE of the whole database would look at, largest first.  A partitioned table stands for
-- its partitions: they are analyzed with it.  Shared catalogs are another's business.
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       CASE c.relkind WHEN 'p' THEN (SELECT coalesce(sum(pg_relation_size(t.relid)), 0)
                                     FROM pg_partition_tree(c.oid) t WHERE t.isleaf)
            ELSE pg_relation_size(c.oid) END AS bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p')
  AND NOT c.relispartition AND NOT c.relisshared
  AND c.relpersistence <> 't' AND n.nspname !~ '^pg_toast'
ORDER BY bytes DESC, c.oid::bigint
