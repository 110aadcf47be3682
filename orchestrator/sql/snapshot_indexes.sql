-- Part of core/schema/snapshot: indexes, with what a failed CREATE INDEX CONCURRENTLY leaves behind.
SELECT concat_ws(' ', 'index', format('%I.%I', n.nspname, c.relname), pg_get_indexdef(c.oid),
                 CASE WHEN NOT i.indisvalid THEN 'invalid' END,
                 CASE WHEN NOT i.indisready THEN 'not ready' END,
                 CASE WHEN NOT i.indislive THEN 'being dropped' END,
                 CASE WHEN i.indisprimary THEN 'primary' END,
                 CASE WHEN i.indisclustered THEN 'clustered' END,
                 CASE WHEN i.indisreplident THEN 'replica identity' END,
                 CASE WHEN NOT i.indimmediate THEN 'deferred' END,
                 'tablespace ' || s.spcname,
                 'part of ' || (SELECT format('%I.%I', pn.nspname, p.relname)
                                FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent
                                JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid),
                 'statistics ' || (SELECT string_agg(a.attnum || ':' || a.attstattarget, ' ' ORDER BY a.attnum)
                                   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attstattarget >= 0
                                   AND a.attnum > 0)) AS line
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass
                  AND e.objid IN (i.indexrelid, i.indrelid) AND e.deptype = 'e')
