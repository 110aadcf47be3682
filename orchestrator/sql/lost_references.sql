-- Foreign keys from and to tables, one row a pair of columns. $1: an array of oids.
-- of_parts: that of a referenced table's partition, which only some rows refer to.
-- acts: rows that refer to a deleted one are deleted or changed.
SELECT c.oid::text AS oid, c.conrelid::text AS child_oid, cn.nspname AS child_schema,
       ct.relname AS child_name, c.confrelid::text AS parent_oid, pn.nspname AS parent_schema,
       pt.relname AS parent_name, ca.attname AS child_column, pa.attname AS parent_column,
       'OPERATOR(' || quote_ident(opn.nspname) || '.' || o.oprname || ')' AS operator,
       EXISTS (SELECT FROM pg_constraint u WHERE u.oid = c.conparentid AND u.conrelid = c.conrelid)
           AS of_parts,
       c.confdeltype IN ('c', 'n', 'd') AS acts
FROM pg_constraint c
JOIN pg_class ct ON ct.oid = c.conrelid JOIN pg_namespace cn ON cn.oid = ct.relnamespace
JOIN pg_class pt ON pt.oid = c.confrelid JOIN pg_namespace pn ON pn.oid = pt.relnamespace
CROSS JOIN LATERAL unnest(c.conkey, c.confkey, c.conpfeqop)
    WITH ORDINALITY AS k (child, parent, operator, place)
JOIN pg_attribute ca ON ca.attrelid = c.conrelid AND ca.attnum = k.child
JOIN pg_attribute pa ON pa.attrelid = c.confrelid AND pa.attnum = k.parent
JOIN pg_operator o ON o.oid = k.operator JOIN pg_namespace opn ON opn.oid = o.oprnamespace
WHERE c.contype = 'f' AND (c.conrelid = ANY ($1::oid[]) OR c.confrelid = ANY ($1::oid[]))
ORDER BY c.oid, k.place
