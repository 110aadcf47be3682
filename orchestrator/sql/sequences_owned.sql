-- Where the sequences stand that make the numbers of a table's column (serial, identity) and go upwards without an end;
-- those never used, or not readable for us, left out.
SELECT s.schemaname AS schema, s.sequencename AS name, s.last_value, s.increment_by AS increment, s.max_value,
       n.nspname AS table_schema, t.relname AS table_name
FROM pg_sequences s
JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = s.schemaname)
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
                    AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE c.relkind = 'S' AND s.last_value IS NOT NULL AND s.increment_by > 0 AND NOT s.cycle
ORDER BY s.schemaname COLLATE "C", s.sequencename COLLATE "C"
