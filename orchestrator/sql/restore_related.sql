-- Tables whose statistics are made together with others': partitions, and those that have children.
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND (c.relispartition OR c.relhassubclass)
