-- Large objects with their owners, and the statements that give them other rights than the owner's usual
-- ones and a comment. Run also in the encoding of the database.
SELECT l.oid::text AS oid, pg_get_userbyid(l.lomowner) AS owner,
       CASE WHEN l.lomacl IS NOT NULL THEN
       (SELECT format('REVOKE ALL ON LARGE OBJECT %s FROM %I;', l.oid, pg_get_userbyid(l.lomowner)) || E'\n'
            || coalesce(string_agg(g.line, E'\n' ORDER BY g.position) || E'\n', '')
        FROM (SELECT min(x.position) AS position,
                     CASE WHEN x.grantor = l.lomowner THEN ''
                          ELSE format('SET SESSION AUTHORIZATION %I;', pg_get_userbyid(x.grantor)) || E'\n' END
                         || format('GRANT %s ON LARGE OBJECT %s TO %s%s;',
                                   string_agg(x.privilege_type, ',' ORDER BY x.position), l.oid,
                                   CASE x.grantee WHEN 0 THEN 'PUBLIC'
                                       ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
                                   CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                         || CASE WHEN x.grantor = l.lomowner THEN ''
                                 ELSE E'\nRESET SESSION AUTHORIZATION;' END AS line
              FROM aclexplode(l.lomacl) WITH ORDINALITY
                  AS x (grantor, grantee, privilege_type, is_grantable, position)
              GROUP BY x.grantor, x.grantee, x.is_grantable) g) END AS rights,
       'COMMENT ON LARGE OBJECT ' || l.oid || ' IS ' || quote_literal(d.description) || E';\n' AS comment
FROM pg_largeobject_metadata l
LEFT JOIN pg_description d ON d.objoid = l.oid AND d.classoid = 'pg_largeobject'::regclass AND d.objsubid = 0
ORDER BY l.oid
