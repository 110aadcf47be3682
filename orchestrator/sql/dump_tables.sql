-- What it takes to copy tables and to load them again. $1: an array of oids, answered in its order.
-- Run once for the manifest, and once in the encoding of the database for statements. As pg_dump has
-- it: partitions whose place depends on hashes of an enum are loaded through their root.
-- is_empty: a heap without a page, now that the snapshot is older and its lock keeps VACUUM and
-- TRUNCATE away, had none when the snapshot was taken.
SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
       pg_get_userbyid(c.relowner) AS owner,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted,
       l.columns, l.generated_counts,
       r.schema AS root_schema, r.name AS root_name, r.quoted AS root_quoted,
       e.extname AS extension, nullif(e.condition, '') AS condition,
       (SELECT string_agg(DISTINCT k.confrelid::text, ' ') FROM pg_constraint k
        WHERE e.extname IS NOT NULL AND k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid)
           AS refers_to,
       s.heap_bytes, s.is_heap,
       coalesce(CASE WHEN s.heap_bytes > 0 THEN pg_relation_size(nullif(c.reltoastrelid, 0)) END, 0)
           AS toast_bytes,
       s.is_heap AND s.heap_bytes = 0 AS is_empty
FROM unnest($1::oid[]) WITH ORDINALITY AS x (oid, position)
JOIN pg_class c ON c.oid = x.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT pg_relation_size(c.oid) AS heap_bytes,
           coalesce((SELECT amname = 'heap' FROM pg_am WHERE oid = c.relam), false) AS is_heap
    OFFSET 0) s
CROSS JOIN LATERAL (
    SELECT string_agg(a.name, ', ') FILTER (WHERE NOT a.generated) AS columns,
           string_agg('count(' || a.name || ')', ', ') FILTER (WHERE a.generated AND NOT a.attnotnull)
               AS generated_counts
    FROM (SELECT quote_ident(attname) AS name, attgenerated <> '' AS generated, attnotnull
          FROM pg_attribute
          WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
          ORDER BY attnum) a) l
LEFT JOIN LATERAL (
    SELECT rn.nspname AS schema, rc.relname AS name,
           quote_ident(rn.nspname) || '.' || quote_ident(rc.relname) AS quoted
    FROM pg_class rc
    JOIN pg_namespace rn ON rn.oid = rc.relnamespace
    WHERE rc.oid = CASE WHEN c.relispartition THEN pg_partition_root(c.oid) END
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
