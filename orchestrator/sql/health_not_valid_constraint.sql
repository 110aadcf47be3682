-- Constraints that hold for new rows only.  From 18 on some are not enforced at all, which is meant.
SELECT n.nspname || '.' || c.relname || '.' || con.conname AS target,
       CASE con.contype WHEN 'f' THEN 'foreign key' WHEN 'c' THEN 'check constraint' ELSE 'constraint' END
       || ' is NOT VALID: rows from before it were not checked' AS message
FROM pg_constraint con
JOIN pg_class c ON c.oid = con.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT con.convalidated
  AND con.conparentid = 0
  AND coalesce((to_jsonb(con) ->> 'conenforced')::boolean, true)
ORDER BY 1;
