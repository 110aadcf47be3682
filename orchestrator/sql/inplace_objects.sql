-- All that goes when what the schemas $1 hold is dropped with CASCADE, but for extensions and their
-- members, which stay.  direct: in a schema itself, and no part of something else.  outside: belongs
-- to no schema of these (pg_identify_object quotes their names).  not_ours: this role may not drop it.
WITH RECURSIVE held AS (
    SELECT d.classid, d.objid
    FROM pg_depend d JOIN pg_namespace n ON n.oid = d.refobjid
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n' AND n.nspname = ANY ($1::text[])
      AND d.classid::regclass::text NOT IN ('pg_extension', 'pg_default_acl', 'pg_publication_namespace')
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
), doomed AS (
    SELECT classid, objid FROM held
    UNION
    SELECT d.classid, d.objid FROM pg_depend d JOIN doomed ON d.refclassid = doomed.classid AND d.refobjid = doomed.objid
), named AS (
    SELECT g.classid, g.objid, o.type, o.identity,
           EXISTS (SELECT FROM held h WHERE h.classid = g.classid AND h.objid = g.objid)
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = g.classid AND d.objid = g.objid
                           AND d.objsubid = 0 AND d.deptype IN ('i', 'P', 'S')) AS direct,
           coalesce(o.schema, (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                               WHERE c.oid = coalesce((SELECT tgrelid FROM pg_trigger t WHERE g.classid = 'pg_trigger'::regclass AND t.oid = g.objid),
                                                      (SELECT ev_class FROM pg_rewrite r WHERE g.classid = 'pg_rewrite'::regclass AND r.oid = g.objid),
                                                      (SELECT adrelid FROM pg_attrdef a WHERE g.classid = 'pg_attrdef'::regclass AND a.oid = g.objid),
                                                      (SELECT polrelid FROM pg_policy p WHERE g.classid = 'pg_policy'::regclass AND p.oid = g.objid)))) AS schema
    FROM doomed g, pg_identify_object(g.classid, g.objid, 0) o
)
SELECT type, identity, direct,
       type = 'extension' OR (schema !~ '^pg_toast' AND schema NOT IN (SELECT quote_ident(s) FROM unnest($1::text[]) s)) AS outside,
       direct AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
       AND NOT EXISTS (SELECT FROM pg_shdepend s
                       WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                         AND s.classid = named.classid AND s.objid = named.objid AND s.deptype = 'o'
                         AND pg_has_role(s.refobjid, 'USAGE')) AS not_ours
FROM named
ORDER BY type, identity
