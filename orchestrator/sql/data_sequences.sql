-- Sequences, the table that each belongs to, and its column when that holds numbers.
SELECT n.nspname AS schema, c.relname AS name, s.seqincrement AS increment,
       s.seqmin AS least, s.seqmax AS most,
       d.refobjid::text AS oid,
       CASE WHEN y.typcategory = 'N' AND y.oid <> 'money'::regtype THEN a.attname END AS column
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid AND c.relpersistence <> 't'
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                     AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
LEFT JOIN pg_type y ON y.oid = a.atttypid
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
