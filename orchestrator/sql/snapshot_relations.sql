-- Catalog snapshot: relations and columns.  Fields that a server lacks are NULL (to_jsonb of the row);
-- columns are numbered by their order, not by attnum, which a restore compacts.
WITH rel AS (
    SELECT c.*, n.nspname, to_jsonb(c) AS j
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind <> 't'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                        AND d.objid = c.oid AND d.deptype = 'e'))
SELECT format('relation %I.%I kind=%s persistence=%s owner=%s acl=%s options=%s am=%s identity=%s rls=%s,%s bound=%s tablespace=%s populated=%s',
              nspname, relname, relkind, relpersistence, pg_get_userbyid(relowner), relacl,
              reloptions, (SELECT amname FROM pg_am WHERE oid = relam), relreplident,
              relrowsecurity, relforcerowsecurity, pg_get_expr(relpartbound, oid),
              (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace), relispopulated) AS line
  FROM rel
UNION ALL
SELECT format('inherits %I.%I of %s number=%s', nspname, relname, i.inhparent::regclass, i.inhseqno)
  FROM rel JOIN pg_inherits i ON i.inhrelid = rel.oid
UNION ALL
SELECT format('partitioned %I.%I by %s', nspname, relname, pg_get_partkeydef(oid))
  FROM rel WHERE relkind = 'p'
UNION ALL
SELECT format('view %I.%I as %s', nspname, relname, pg_get_viewdef(oid)) FROM rel WHERE relkind IN ('v', 'm')
UNION ALL
SELECT format('column %I.%I.%I number=%s type=%s notnull=%s default=%s generated=%s identity=%s collation=%s storage=%s compression=%s statistics=%s acl=%s options=%s',
              nspname, relname, a.attname,
              row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
              format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
              a.attgenerated, a.attidentity,
              (SELECT collname FROM pg_collation WHERE oid = a.attcollation), a.attstorage,
              to_jsonb(a) ->> 'attcompression', to_jsonb(a) ->> 'attstattarget', a.attacl, a.attoptions)
  FROM rel
  JOIN pg_attribute a ON a.attrelid = rel.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE rel.relkind IN ('r', 'p', 'v', 'm', 'f', 'c');
