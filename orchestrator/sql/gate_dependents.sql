-- The tables and columns that a DROP ... CASCADE of something else takes along: $1 schema, type, collation, extension or role
-- (all that it owns); $2: the schemas of a type or collation, NULL: any; $3: its name, NULL: the present role.
WITH RECURSIVE start (class, object) AS (
    SELECT 'pg_namespace'::regclass::oid, oid FROM pg_namespace WHERE $1 = 'schema' AND nspname = $3
    UNION ALL
    SELECT 'pg_type'::regclass::oid, t.oid
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE $1 = 'type' AND t.typname = $3 AND ($2::text[] IS NULL OR n.nspname = ANY ($2::text[]))
    UNION ALL
    SELECT 'pg_collation'::regclass::oid, o.oid
    FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace
    WHERE $1 = 'collation' AND o.collname = $3 AND ($2::text[] IS NULL OR n.nspname = ANY ($2::text[]))
    UNION ALL
    SELECT 'pg_extension'::regclass::oid, oid FROM pg_extension WHERE $1 = 'extension' AND extname = $3
    UNION ALL
    SELECT s.classid, s.objid
    FROM pg_shdepend s
    WHERE $1 = 'role' AND s.deptype = 'o' AND s.refclassid = 'pg_authid'::regclass
      AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = coalesce($3, current_user))
), reached (class, object, sub) AS (
    SELECT class, object, 0 FROM start
    UNION
    SELECT d.classid, d.objid, d.objsubid
    FROM reached r
    JOIN pg_depend d ON d.refclassid = r.class AND d.refobjid = r.object AND (r.sub = 0 OR d.refobjsubid = r.sub)
)
SELECT DISTINCT ON (n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum)
       n.nspname AS schema, c.relname AS name, a.attname AS attribute, format_type(a.atttypid, a.atttypmod) AS type,
       true AS named, c.relkind = 'p' AS partitioned, greatest(c.reltuples::bigint, pg_stat_get_live_tuples(c.oid)) AS estimate,
       NULL AS key
FROM reached r
JOIN pg_class c ON r.class = 'pg_class'::regclass AND c.oid = r.object
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = r.sub AND r.sub > 0
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum
