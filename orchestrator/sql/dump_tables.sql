-- What it takes to copy tables and to load them again. $1: an array of oids, answered in its order.
-- Run once for the manifest, and once in the encoding of the database for statements. As pg_dump has
-- it: partitions whose place depends on hashes of an enum are loaded through their root.
SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
       pg_get_userbyid(c.relowner) AS owner,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted,
       (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
           AS columns,
       (SELECT string_agg('count(' || quote_ident(a.attname) || ')', ', ' ORDER BY a.attnum)
        FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''
          AND NOT a.attnotnull) AS generated_counts,
       r.schema AS root_schema, r.name AS root_name, r.quoted AS root_quoted,
       e.extname AS extension, nullif(e.condition, '') AS condition,
       (SELECT string_agg(DISTINCT k.confrelid::text, ' ') FROM pg_constraint k
        WHERE e.extname IS NOT NULL AND k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid)
           AS refers_to,
       pg_relation_size(c.oid) AS heap_bytes,
       coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) AS toast_bytes,
       coalesce((SELECT amname = 'heap' FROM pg_am WHERE oid = c.relam), false) AS is_heap
FROM unnest($1::oid[]) WITH ORDINALITY AS x (oid, position)
JOIN pg_class c ON c.oid = x.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT rn.nspname AS schema, rc.relname AS name,
           quote_ident(rn.nspname) || '.' || quote_ident(rc.relname) AS quoted
    FROM pg_class rc
    JOIN pg_namespace rn ON rn.oid = rc.relnamespace
    WHERE rc.oid = pg_partition_root(c.oid)
      AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a
                  JOIN pg_partitioned_table p ON p.partrelid = a.relid
                  JOIN pg_opclass o ON o.oid = ANY (p.partclass)
                  JOIN pg_am am ON am.oid = o.opcmethod
                  WHERE o.opcname = 'enum_ops' AND o.opcnamespace = 'pg_catalog'::regnamespace
                    AND am.amname = 'hash')) r ON c.relispartition
LEFT JOIN LATERAL (
    SELECT x.extname, x.extcondition[array_position(x.extconfig, c.oid)] AS condition
    FROM pg_extension x
    WHERE c.oid = ANY (x.extconfig)
    LIMIT 1) e ON true
WHERE c.relkind = 'r'
ORDER BY x.position
