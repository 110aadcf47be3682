-- Tables, materialized views and indexes of the user with their files: what is rewritten gets
-- another one.
SELECT c.oid::bigint AS oid, format('%I.%I', n.nspname, c.relname) AS name, c.relname AS bare,
       c.relkind IN ('i', 'I') AS is_index,
       coalesce(pg_relation_filenode(c.oid), 0)::bigint AS file,
       CASE WHEN c.relkind IN ('r', 'm') THEN coalesce(pg_table_size(c.oid), 0) ELSE 0 END AS bytes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY c.oid::bigint
