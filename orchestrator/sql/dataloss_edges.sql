-- Tables whose rows follow those of another: partitions and inheriting ones, and what a foreign key
-- deletes or sets to NULL.
SELECT fn.nspname AS from_schema, f.relname AS from_name, tn.nspname AS to_schema, t.relname AS to_name
FROM (SELECT inhparent AS parent, inhrelid AS child FROM pg_inherits
      UNION
      SELECT confrelid, conrelid FROM pg_constraint
      WHERE contype = 'f' AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('n', 'd'))) AS edge
JOIN pg_class f ON f.oid = edge.parent AND f.relkind IN ('r', 'p')
JOIN pg_namespace fn ON fn.oid = f.relnamespace
JOIN pg_class t ON t.oid = edge.child AND t.relkind IN ('r', 'p')
JOIN pg_namespace tn ON tn.oid = t.relnamespace;
