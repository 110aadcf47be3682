-- Columns of tables as far as rows are carried from one database to another. $1: an array of oids.
-- signature: the type, and the labels of an enum, the fields of a composite one; bare: a domain's own type, NULL for others;
-- key: place in the primary key, 0 outside of it, and the operator that its index goes by.
SELECT a.attrelid::text AS oid, a.attname AS name,
       format_type(a.atttypid, a.atttypmod) ||
           COALESCE((SELECT ' ' || string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumlabel COLLATE "C")
                     FROM pg_enum e WHERE e.enumtypid = a.atttypid), '') ||
           COALESCE((SELECT ' ' || string_agg(quote_ident(f.attname) || ' ' || format_type(f.atttypid, f.atttypmod), ','
                                              ORDER BY f.attnum)
                     FROM pg_type y
                     JOIN pg_attribute f ON f.attrelid = y.typrelid AND f.attnum > 0 AND NOT f.attisdropped
                     WHERE y.typtype = 'c' AND y.oid = coalesce(nullif(t.typelem, 0), nullif(t.typbasetype, 0), t.oid)), '')
           AS signature,
       format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN t.typtype = 'd' THEN
           (WITH RECURSIVE d AS (SELECT t.typbasetype AS id
                                 UNION ALL
                                 SELECT b.typbasetype FROM d JOIN pg_type b ON b.oid = d.id
                                 WHERE b.typtype = 'd')
            SELECT format_type(d.id, -1) FROM d JOIN pg_type b ON b.oid = d.id AND b.typtype <> 'd')
       END AS bare,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required,
       a.attgenerated <> '' AS generated, a.attidentity AS identity,
       COALESCE(k.place + 1, 0) AS key, k.operator
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN LATERAL (
    SELECT p.place, 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')' AS operator
    FROM pg_index i
    CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS p (place)
    JOIN pg_opclass c ON c.oid = i.indclass[p.place]
    JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3 AND m.amoppurpose = 's'
                  AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
    JOIN pg_operator o ON o.oid = m.amopopr
    JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE i.indrelid = a.attrelid AND i.indisprimary AND i.indkey[p.place] = a.attnum) k ON true
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
