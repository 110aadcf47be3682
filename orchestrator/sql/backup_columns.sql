-- The columns of tables. $1: an array of oids. In its order.
SELECT x.oid::text AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       a.attnotnull AS never_null, a.attgenerated <> '' AS generated
FROM unnest($1::oid[]) WITH ORDINALITY AS x (oid, position)
JOIN pg_attribute a ON a.attrelid = x.oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY x.position, a.attnum
