-- The columns of tables. $1: an array of oids. In its order.  fields: of a composite type, or of an array or
-- domain of one.
SELECT x.oid::text AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       a.attnotnull AS never_null, a.attgenerated <> '' AS generated,
       CASE WHEN t.typtype IN ('c', 'd') OR t.typelem <> 0 THEN -- few are: not looked up for every column
       (SELECT string_agg(quote_ident(f.attname) || ' ' || format_type(f.atttypid, f.atttypmod), ', ' ORDER BY f.attnum)
        FROM pg_type y
        JOIN pg_attribute f ON f.attrelid = y.typrelid AND f.attnum > 0 AND NOT f.attisdropped
        WHERE y.typtype = 'c' AND y.oid = coalesce(nullif(t.typelem, 0), nullif(t.typbasetype, 0), t.oid)) END AS fields
FROM unnest($1::oid[]) WITH ORDINALITY AS x (oid, position)
JOIN pg_attribute a ON a.attrelid = x.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
ORDER BY x.position, a.attnum
