-- Columns that the server computes: no data file has them.
SELECT n.nspname AS schema, c.relname AS name, a.attname AS column
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attgenerated <> '' AND NOT a.attisdropped AND c.relkind = 'r'
