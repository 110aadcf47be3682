-- Unique keys besides the primary one that are plain columns, one row a column. $1: an array of oids.
SELECT i.indexrelid::text AS oid, i.indrelid::text AS table_oid, a.attname AS name,
       'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')' AS operator
FROM pg_index i
CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS p (place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p.place]
JOIN pg_opclass c ON c.oid = i.indclass[p.place]
JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3 AND m.amoppurpose = 's'
              AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
JOIN pg_operator o ON o.oid = m.amopopr
JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND NOT i.indisprimary
  AND i.indexprs IS NULL AND i.indpred IS NULL
ORDER BY i.indexrelid, p.place
