-- Indexes that can be dropped and made again with nothing lost, for tables that are filled anew: valid
-- ones of ordinary tables, of which all that is special is in their definition, tablespace and
-- comments; primary and unique keys among them.  Foreign keys that lean on one are told elsewhere.
-- None where something of the users' might look at the tables or their indexes meanwhile: event
-- triggers, rules.
SELECT i.indexrelid::text AS oid, n.nspname AS schema, t.relname AS table, c.relname AS name,
       pg_get_indexdef(i.indexrelid) AS definition, pg_get_constraintdef(k.oid) AS constraint,
       s.spcname AS tablespace, obj_description(c.oid, 'pg_class') AS comment,
       obj_description(k.oid, 'pg_constraint') AS constraint_comment
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE t.relkind = 'r' AND NOT t.relispartition AND t.relpersistence <> 't'
  AND NOT c.relispartition AND i.indisvalid AND i.indisready AND i.indislive
  AND NOT i.indisclustered AND NOT i.indisreplident
  AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
  AND has_schema_privilege(n.oid, 'CREATE')
  AND (s.oid IS NULL OR has_tablespace_privilege(s.oid, 'CREATE'))
  -- A constraint's text has no storage parameters.
  AND (k.oid IS NULL OR (k.contype <> 'x' AND c.reloptions IS NULL AND k.conname = c.relname))
  AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attstattarget >= 0)
  -- Nothing but foreign keys depends on it; it depends on no extension, and on no function of the users'.
  AND NOT EXISTS (SELECT FROM pg_depend d
                  LEFT JOIN pg_constraint f ON d.classid = 'pg_constraint'::regclass AND f.oid = d.objid
                  WHERE ((d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
                         OR (d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid))
                    AND (f.contype IS DISTINCT FROM 'f'
                         OR EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_class'::regclass
                                    AND x.objid = f.conrelid AND x.deptype = 'e'))
                    AND NOT (d.classid = 'pg_class'::regclass AND d.objid = c.oid))
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE ((d.classid = 'pg_class'::regclass AND d.objid = c.oid)
                         OR (d.classid = 'pg_constraint'::regclass AND d.objid = k.oid))
                    AND (d.deptype IN ('e', 'x') OR d.refclassid = 'pg_proc'::regclass))
  AND NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled <> 'D')
  AND NOT EXISTS (SELECT FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
                  WHERE v.relkind IN ('r', 'p') AND r.oid >= 16384)
ORDER BY n.nspname COLLATE "C", t.relname COLLATE "C", c.relname COLLATE "C"
