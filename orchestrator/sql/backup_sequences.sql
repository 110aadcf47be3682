-- The sequences by oid, as text: what an archive says of them is in the encoding of the database.
SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't'
ORDER BY c.oid::text COLLATE "C"
