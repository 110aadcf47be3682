-- The sequences that are backed up: the user's and those that are configuration of an extension.
-- In the order in which pg_dump sets them.
SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
       pg_get_userbyid(c.relowner) AS owner,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted,
       x.member AS of_extension
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM pg_depend d
                   WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
           AS member) x
WHERE c.relkind = 'S' AND c.relpersistence <> 't'
  AND (c.relpersistence <> 'u' OR NOT pg_is_in_recovery())
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (NOT x.member OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
