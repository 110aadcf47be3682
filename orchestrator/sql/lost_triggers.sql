-- The users' own triggers that fire.
SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, t.tgname AS trigger,
       t.tgenabled AS enabled
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A', 'R')
ORDER BY c.oid, t.tgname
