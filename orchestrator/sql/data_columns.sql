-- Columns of all tables, in the order of data_tables.  enum: the oid of an enum's type; fields: as in
-- backup_columns.
SELECT c.oid::text AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       format_type(a.atttypid, -1) AS base, t.typcategory::text AS category,
       a.attnotnull OR t.typnotnull AS not_null,
       a.attidentity::text AS identity, a.attgenerated <> '' AS generated,
       coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault) AS expression,
       CASE WHEN t.typtype = 'e' THEN t.oid::text END AS enum,
       (SELECT string_agg(quote_ident(f.attname) || ' ' || format_type(f.atttypid, f.atttypmod), ', ' ORDER BY f.attnum)
        FROM pg_type y
        JOIN pg_attribute f ON f.attrelid = y.typrelid AND f.attnum > 0 AND NOT f.attisdropped
        WHERE y.typtype = 'c' AND y.oid = coalesce(nullif(t.typelem, 0), nullif(t.typbasetype, 0), t.oid)) AS fields
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum
