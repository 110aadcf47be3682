-- Columns filled by a sequence (serial, identity, or a plain nextval default), to compare its next
-- value with what is there: where max() is one look into an index, or the table is small.
-- Nothing here takes a lock on a table (pg_get_expr and pg_relation_size would), so a default is
-- told by its tree: nextval (1574), perhaps cast to int4 (480) or int2 (714).
SELECT DISTINCT
       sn.nspname || '.' || s.relname AS target,
       format('%I.%I', sn.nspname, s.relname) AS sequence,
       format('%I.%I', tn.nspname, t.relname) AS relation,
       quote_ident(a.attname) AS attribute,
       tn.nspname || '.' || t.relname || '.' || a.attname AS plain,
       seq.seqincrement AS step,
       EXISTS (SELECT FROM pg_index i
               WHERE i.indrelid = t.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                 AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS is_unique
FROM pg_depend d
LEFT JOIN pg_attrdef def ON d.classid = 'pg_attrdef'::regclass AND def.oid = d.objid
JOIN pg_class s ON s.oid = CASE WHEN def.oid IS NULL THEN d.objid ELSE d.refobjid END
               AND s.relkind = 'S' AND s.relpersistence <> 't'
JOIN pg_sequence seq ON seq.seqrelid = s.oid
JOIN pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_attribute a ON a.attrelid = coalesce(def.adrelid, d.refobjid)
                   AND a.attnum = coalesce(def.adnum, d.refobjsubid)
JOIN pg_class t ON t.oid = a.attrelid AND t.relkind IN ('r', 'p') AND t.relpersistence <> 't'
JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE d.refclassid = 'pg_class'::regclass
  AND (d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
       OR def.adbin::text ~ '^\{FUNCEXPR :funcid (1574 |(480|714) [^{]*\(\{FUNCEXPR :funcid 1574 )')
  AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  AND NOT t.relispartition
  AND NOT seq.seqcycle
  AND seq.seqincrement > 0
  AND has_table_privilege(s.oid, 'SELECT')
  AND has_column_privilege(t.oid, a.attnum, 'SELECT')
  AND has_schema_privilege(sn.oid, 'USAGE')
  AND has_schema_privilege(tn.oid, 'USAGE')
  AND (EXISTS (SELECT FROM pg_index i
               JOIN pg_class ic ON ic.oid = i.indexrelid
               JOIN pg_am am ON am.oid = ic.relam AND am.amname = 'btree'
               WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL
                 AND i.indkey[0] = a.attnum)
       OR t.relkind = 'r' AND t.relpages <= 1024)
ORDER BY 1, 5;
