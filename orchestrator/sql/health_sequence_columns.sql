-- Columns filled by a sequence (serial, identity, or a plain nextval default), to compare its next
-- value with what is there: where max() is one look into an index, or the table is small.
-- Nothing here takes a lock on a table (pg_get_expr and pg_relation_size would), so a default is
-- told by its tree: nextval (1574), perhaps cast to int4 (480) or int2 (714).  Joins of whole
-- catalogs, no subquery for each row: 5,000 tables take a moment, with or without statistics.
WITH filled AS MATERIALIZED (
        SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS col
        FROM pg_depend d
        JOIN pg_sequence s ON s.seqrelid = d.objid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
        UNION
        SELECT d.refobjid, def.adrelid, def.adnum
        FROM pg_attrdef def
        JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = def.oid
        JOIN pg_sequence s ON s.seqrelid = d.refobjid
        WHERE d.refclassid = 'pg_class'::regclass
          AND def.adbin::text ~ '^\{FUNCEXPR :funcid (1574 |(480|714) [^{]*\(\{FUNCEXPR :funcid 1574 )'),
     indexed AS MATERIALIZED (
        SELECT i.indrelid AS rel, i.indkey[0] AS col,
               bool_or(i.indisunique AND i.indnkeyatts = 1) AS is_unique
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_am am ON am.oid = c.relam AND am.amname = 'btree'
        WHERE i.indisvalid AND i.indpred IS NULL
        GROUP BY 1, 2),
     visible AS MATERIALIZED (
        SELECT c.*, n.nspname
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't' AND NOT c.relispartition
          AND has_schema_privilege(n.oid, 'USAGE'))
SELECT s.nspname || '.' || s.relname AS target,
       format('%I.%I', s.nspname, s.relname) AS sequence,
       format('%I.%I', t.nspname, t.relname) AS relation,
       quote_ident(a.attname) AS attribute,
       t.nspname || '.' || t.relname || '.' || a.attname AS plain,
       seq.seqincrement AS step,
       coalesce(i.is_unique, false) AS is_unique
FROM filled f
JOIN visible s ON s.oid = f.seq
JOIN pg_sequence seq ON seq.seqrelid = f.seq
JOIN visible t ON t.oid = f.rel
JOIN pg_attribute a ON a.attrelid = f.rel AND a.attnum = f.col
LEFT JOIN indexed i ON i.rel = f.rel AND i.col = f.col
WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  AND NOT seq.seqcycle
  AND seq.seqincrement > 0
  AND has_table_privilege(f.seq, 'SELECT')
  AND has_column_privilege(f.rel, a.attnum, 'SELECT')
  AND (i.rel IS NOT NULL OR t.relkind = 'r' AND t.relpages <= 1024)
ORDER BY 1, 5;
