-- The schemas of $1 that are there, and what brings their rights back to where an archive's statements begin: the initial ones.
-- What those gave to the schema's owner goes to the one that it has now.
SELECT n.nspname AS schema,
       coalesce((SELECT string_agg(format('REVOKE ALL ON SCHEMA %I FROM %s CASCADE;', n.nspname, g.name), ' ')
                 FROM (SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS name
                       FROM aclexplode(n.nspacl)) g), '')
       || coalesce((SELECT string_agg(format(' GRANT %s ON SCHEMA %I TO %s;', b.privilege_type, n.nspname,
                                             CASE b.grantee WHEN 0 THEN 'PUBLIC'
                                             ELSE quote_ident(pg_get_userbyid(CASE b.grantee WHEN b.grantor THEN n.nspowner ELSE b.grantee END)) END), '')
                    FROM aclexplode(coalesce(i.initprivs, acldefault('n', n.nspowner))) b), '') AS reset,
       n.nspacl IS DISTINCT FROM coalesce(i.initprivs, NULL) AS changed
FROM pg_namespace n
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_namespace'::regclass AND i.objoid = n.oid AND i.objsubid = 0
WHERE n.nspname = ANY ($1::text[])
ORDER BY 1
