-- Part of core/schema/snapshot: constraints of tables and domains.  pg_get_constraintdef says
-- NOT VALID, DEFERRABLE and NO INHERIT.
SELECT concat_ws(' ', 'constraint', format('%I.%I.%I', n.nspname, coalesce(c.relname, t.typname), k.conname),
                 pg_get_constraintdef(k.oid),
                 CASE WHEN NOT k.convalidated THEN 'not validated' END,
                 CASE WHEN NOT k.conislocal THEN 'inherited' END,
                 'from ' || nullif(k.coninhcount, 0)) AS line
FROM pg_constraint k
JOIN pg_namespace n ON n.oid = k.connamespace
LEFT JOIN pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_type t ON t.oid = k.contypid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid IN ('pg_class'::regclass, 'pg_type'::regclass)
                  AND e.objid IN (k.conrelid, k.contypid) AND e.objid <> 0 AND e.deptype = 'e')
