-- Part of core/schema/snapshot: comments and security labels.  The database's own comment is not
-- among them (core/schema/database): the fence writes it.
SELECT concat_ws(' ', 'comment on', i.type, i.identity, 'is', d.description) AS line
FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE (d.objoid >= 16384 OR (d.classoid = 'pg_namespace'::regclass AND d.objoid = to_regnamespace('public')))
  AND coalesce(i.schema, '') !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid
                  AND e.objid = d.objoid AND e.deptype = 'e')
UNION ALL
SELECT concat_ws(' ', 'label on', i.type, i.identity, 'by', l.provider, 'is', l.label)
FROM pg_seclabel l, pg_identify_object(l.classoid, l.objoid, l.objsubid) i
