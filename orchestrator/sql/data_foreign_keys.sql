-- Foreign keys, those that partitions have of their parents left out.
SELECT k.conname AS name, k.conrelid::text AS child, k.confrelid::text AS parent, k.conindid::text AS index,
       pg_get_constraintdef(k.oid) AS definition, k.convalidated AS validated,
       obj_description(k.oid, 'pg_constraint') AS comment
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", k.conname COLLATE "C"
