-- Part of core/schema/snapshot: columns.  Their order is in snapshot_relations.
-- attcompression exists from 14 on, hence to_jsonb.
SELECT concat_ws(' ', 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname),
                 format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attcollation <> t.typcollation
                      THEN 'collate ' || (SELECT format('%I.%I', cn.nspname, co.collname)
                                          FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
                                          WHERE co.oid = a.attcollation) END,
                 CASE WHEN a.attnotnull THEN 'not null' END,
                 CASE WHEN a.attgenerated <> '' THEN 'generated ' || a.attgenerated::text
                      WHEN d.adbin IS NOT NULL THEN 'default' END,
                 pg_get_expr(d.adbin, d.adrelid),
                 'identity ' || nullif(a.attidentity::text, ''),
                 CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
                 'compression ' || nullif(to_jsonb(a) ->> 'attcompression', ''),
                 'statistics ' || nullif(a.attstattarget, -1),
                 'options ' || a.attoptions::text, 'foreign options ' || a.attfdwoptions::text,
                 CASE WHEN NOT a.attislocal THEN 'inherited' END,
                 'from ' || nullif(a.attinhcount, 0),
                 'acl ' || (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
                            FROM unnest(a.attacl) x)) AS line
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass
                  AND e.objid = c.oid AND e.deptype = 'e')
