-- Part of core/schema/snapshot: tables, views, sequences and composite types, without their
-- columns, indexes and constraints.  Owner, ACL, columns' order, inheritance and definition have
-- lines of their own, so that a difference says what changed.
WITH relation AS (
    SELECT c.*, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
                ELSE 'composite type' END || format(' %I.%I', n.nspname, c.relname) AS what
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass
                      AND e.objid = c.oid AND e.deptype = 'e')
)
SELECT concat_ws(' ', r.what, 'persistence', r.relpersistence::text, 'method ' || am.amname,
                 'tablespace ' || t.spcname, 'options ' || r.reloptions::text,
                 'toast options ' || o.reloptions::text,
                 'replica identity ' || nullif(r.relreplident::text, 'd'),
                 CASE WHEN r.relrowsecurity THEN 'row security' END,
                 CASE WHEN r.relforcerowsecurity THEN 'forced' END,
                 CASE WHEN NOT r.relispopulated THEN 'not populated' END,
                 'of type ' || format_type(nullif(r.reloftype, 0), NULL)) AS line
FROM relation r
LEFT JOIN pg_am am ON am.oid = r.relam
LEFT JOIN pg_tablespace t ON t.oid = r.reltablespace
LEFT JOIN pg_class o ON o.oid = r.reltoastrelid
UNION ALL
SELECT concat_ws(' ', r.what, 'owner', format('%I', pg_get_userbyid(r.relowner)))
FROM relation r
UNION ALL
SELECT concat_ws(' ', r.what, 'acl',
                 (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
                  FROM unnest(coalesce(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char",
                                                            r.relowner))) x))
FROM relation r
WHERE r.relkind <> 'c'
UNION ALL
SELECT concat_ws(' ', r.what, 'columns', string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum))
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE r.relkind <> 'S'
GROUP BY r.what
UNION ALL
SELECT concat_ws(' ', r.what, 'inherits', format('%I.%I', n.nspname, p.relname), i.inhseqno)
FROM relation r
JOIN pg_inherits i ON i.inhrelid = r.oid
JOIN pg_class p ON p.oid = i.inhparent
JOIN pg_namespace n ON n.oid = p.relnamespace
UNION ALL
SELECT concat_ws(' ', r.what, 'partition', pg_get_expr(r.relpartbound, r.oid))
FROM relation r
WHERE r.relispartition
UNION ALL
SELECT concat_ws(' ', r.what, 'partition key', pg_get_partkeydef(r.oid))
FROM relation r
WHERE r.relkind = 'p'
UNION ALL
SELECT concat_ws(' ', r.what, 'definition', pg_get_viewdef(r.oid))
FROM relation r
WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT concat_ws(' ', r.what, 'server', format('%I', s.srvname), f.ftoptions::text)
FROM relation r
JOIN pg_foreign_table f ON f.ftrelid = r.oid
JOIN pg_foreign_server s ON s.oid = f.ftserver
