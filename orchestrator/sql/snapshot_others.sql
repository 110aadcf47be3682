-- Catalog snapshot: schemas, types, routines, extensions, and what belongs to the database as a whole.
WITH ns AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
     WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass
                        AND d.objid = pg_namespace.oid AND d.deptype = 'e')),
member AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
SELECT format('schema %I owner=%s acl=%s', nspname, pg_get_userbyid(nspowner), nspacl) AS line FROM ns
UNION ALL
SELECT format('extension %I version=%s schema=%s', e.extname, e.extversion, n.nspname)
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
UNION ALL
SELECT format('type %I.%I kind=%s base=%s notnull=%s default=%s owner=%s acl=%s labels=%s', ns.nspname, t.typname,
              t.typtype, CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END,
              t.typnotnull, t.typdefault, pg_get_userbyid(t.typowner), t.typacl,
              (SELECT string_agg(quote_literal(l.enumlabel), ',' ORDER BY l.enumsortorder)
                 FROM pg_enum l WHERE l.enumtypid = t.oid))
  FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
 WHERE t.typtype IN ('d', 'e', 'r', 'b') AND t.typelem = 0
   AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT format('routine %I.%I(%s) returns %s owner=%s acl=%s definition=%s', ns.nspname, p.proname,
              pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid),
              pg_get_userbyid(p.proowner), p.proacl,
              CASE WHEN p.prokind = 'a' THEN (SELECT md5(format('%s %s %s', g.aggtransfn::regprocedure, g.aggfinalfn, g.agginitval))
                                                FROM pg_aggregate g WHERE g.aggfnoid = p.oid)
                   ELSE md5(pg_get_functiondef(p.oid)) END)
  FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
 WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT format('operator %s result=%s function=%s', o.oid::regoperator, o.oprresult::regtype, o.oprcode)
  FROM pg_operator o JOIN ns ON ns.oid = o.oprnamespace
 WHERE ('pg_operator'::regclass, o.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT format('cast %s to %s by %s context=%s', c.castsource::regtype, c.casttarget::regtype,
              nullif(c.castfunc, 0)::regprocedure, c.castcontext)
  FROM pg_cast c
 WHERE c.oid >= 16384 AND ('pg_cast'::regclass, c.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT format('collation %I.%I provider=%s', ns.nspname, o.collname, o.collprovider)
  FROM pg_collation o JOIN ns ON ns.oid = o.collnamespace
UNION ALL
SELECT format('text search configuration %I.%I', ns.nspname, t.cfgname)
  FROM pg_ts_config t JOIN ns ON ns.oid = t.cfgnamespace
UNION ALL
SELECT format('default privileges of %s in %s on %s: %s', pg_get_userbyid(d.defaclrole),
              (SELECT nspname FROM pg_namespace WHERE oid = d.defaclnamespace), d.defaclobjtype, d.defaclacl)
  FROM pg_default_acl d
UNION ALL
SELECT format('event trigger %I on %s enabled=%s function=%s tags=%s', evtname, evtevent, evtenabled,
              evtfoid::regprocedure, evttags) FROM pg_event_trigger
UNION ALL
SELECT format('publication %I owner=%s all=%s insert=%s update=%s delete=%s truncate=%s tables=%s', p.pubname,
              pg_get_userbyid(p.pubowner), p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
              (SELECT string_agg(r.prrelid::regclass::text, ',' ORDER BY r.prrelid::regclass::text)
                 FROM pg_publication_rel r WHERE r.prpubid = p.oid))
  FROM pg_publication p
UNION ALL
SELECT format('foreign data wrapper %I options=%s', fdwname, fdwoptions) FROM pg_foreign_data_wrapper
UNION ALL
SELECT format('foreign server %I type=%s version=%s options=%s acl=%s', srvname, srvtype, srvversion,
              srvoptions, srvacl) FROM pg_foreign_server
UNION ALL
SELECT format('comment on %s: %s', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description)
  FROM pg_description d
 WHERE d.objoid >= 16384 OR (d.classoid = 'pg_namespace'::regclass AND d.objoid IN (SELECT oid FROM ns))
UNION ALL
SELECT format('security label of %s on %s: %s', l.provider, pg_describe_object(l.classoid, l.objoid, l.objsubid), l.label)
  FROM pg_seclabel l;
