-- What takes away the default privileges that this role may take away, an entry a row: an archive gives
-- rights to what has the initial ones, and brings its own defaults last.  Those of a role in all schemas
-- go back to what the server has by itself, and are no entry any more.
SELECT string_agg(s.statement, '; ' ORDER BY s.step, s.statement) AS statement
FROM pg_default_acl d
LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL (
    SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I', pg_get_userbyid(d.defaclrole))
           || CASE WHEN n.oid IS NULL THEN '' ELSE format(' IN SCHEMA %I', n.nspname) END AS defaults,
           CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END AS objects) w
CROSS JOIN LATERAL (
    SELECT DISTINCT 1 AS step, format('%s REVOKE ALL ON %s FROM %s', w.defaults, w.objects,
                                      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS statement
    FROM aclexplode(d.defaclacl) a
    UNION ALL
    SELECT 2, format('%s GRANT %s ON %s TO %s', w.defaults, a.privilege_type, w.objects,
                     CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
    FROM aclexplode(acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)) a
    WHERE n.oid IS NULL) s
WHERE pg_has_role(d.defaclrole, 'USAGE')
GROUP BY d.oid
ORDER BY d.oid
