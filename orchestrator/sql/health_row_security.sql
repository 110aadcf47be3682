-- Row security that does not do what its table says: on without a policy (nobody but the owner sees
-- a row), or policies that nobody switched on.
SELECT n.nspname || '.' || c.relname AS target,
       CASE WHEN c.relrowsecurity
            THEN 'row security is on but has no policy: others than the owner see no rows'
            ELSE 'table has policies but row security is off: they do nothing' END AS message
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND c.relrowsecurity <> EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
ORDER BY 1;
