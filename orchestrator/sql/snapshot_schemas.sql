-- Part of core/schema/snapshot: schemas, extensions, default privileges, publications,
-- subscriptions.  Each part gives one column of text; members of an extension are left out
-- everywhere, its name and version stand for them.
SELECT concat_ws(' ', 'schema', format('%I', n.nspname), 'owner', format('%I', pg_get_userbyid(n.nspowner)),
                 'acl', (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
                         FROM unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) x)) AS line
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass
                  AND e.objid = n.oid AND e.deptype = 'e')
UNION ALL
SELECT concat_ws(' ', 'extension', format('%I', x.extname), 'version', x.extversion,
                 'schema', format('%I', n.nspname), 'owner', format('%I', pg_get_userbyid(x.extowner)))
FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
UNION ALL
SELECT concat_ws(' ', (pg_identify_object(d.classid, d.objid, d.objsubid)).identity,
                 'depends on extension', format('%I', x.extname))
FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x'
UNION ALL
SELECT concat_ws(' ', 'default privileges of', format('%I', pg_get_userbyid(d.defaclrole)),
                 'in', coalesce(quote_ident(n.nspname), 'every schema'), 'on', d.defaclobjtype::text,
                 (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C") FROM unnest(d.defaclacl) x))
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
UNION ALL
SELECT concat_ws(' ', 'publication', format('%I', p.pubname), 'owner', format('%I', pg_get_userbyid(p.pubowner)),
                 to_jsonb(p) - '{oid,pubname,pubowner}'::text[])
FROM pg_publication p
UNION ALL
SELECT concat_ws(' ', 'publication', format('%I', p.pubname), 'table', format('%I.%I', p.schemaname, p.tablename),
                 to_jsonb(p) - '{pubname,schemaname,tablename}'::text[])
FROM pg_publication_tables p
UNION ALL
SELECT DISTINCT concat_ws(' ', 'publication member', i.type, i.identity)
FROM pg_depend d, pg_identify_object(d.classid, d.objid, 0) i
WHERE d.refclassid = 'pg_publication'::regclass
UNION ALL
SELECT concat_ws(' ', 'subscription', format('%I', s.subname), 'owner', format('%I', pg_get_userbyid(s.subowner)),
                 CASE WHEN s.subenabled THEN 'enabled' ELSE 'disabled' END, 'slot', s.subslotname,
                 'publications', s.subpublications::text)
FROM pg_subscription s
WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
