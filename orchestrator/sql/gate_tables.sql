-- The tables whose rows, or with $3 column, go with those of one, as far as $4 reaches: alone, partitions, heirs (partitions
-- are such), truncate (and all that refers to it), delete (and what refers to it ON DELETE CASCADE). $1: its schemas, NULL:
-- any. $2: its name. Those of extensions are in no dump. key: a column that is NULL in rows which are not deleted along.
WITH RECURSIVE named AS (
    SELECT c.oid
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = $2 AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[]))
), edge AS (
    SELECT i.inhparent AS parent, i.inhrelid AS child
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE $4 IN ('heirs', 'truncate', 'delete') OR $4 = 'partitions' AND c.relispartition
    UNION ALL
    SELECT confrelid, conrelid
    FROM pg_constraint
    WHERE contype = 'f' AND ($4 = 'truncate' OR $4 = 'delete' AND confdeltype = 'c')
), reached AS (
    SELECT oid FROM named
    UNION
    SELECT e.child FROM reached r JOIN edge e ON e.parent = r.oid
)
SELECT n.nspname AS schema, c.relname AS name, a.attname AS attribute, format_type(a.atttypid, a.atttypmod) AS type,
       r.oid IN (SELECT oid FROM named) AS named, c.relkind = 'p' AS partitioned,
       greatest(c.reltuples::bigint, pg_stat_get_live_tuples(c.oid)) AS estimate,
       CASE WHEN $4 = 'delete' AND r.oid NOT IN (SELECT oid FROM named) THEN (
           SELECT k.attname
           FROM pg_constraint f
           JOIN pg_attribute k ON k.attrelid = f.conrelid AND k.attnum = f.conkey[1]
           WHERE f.contype = 'f' AND f.confdeltype = 'c' AND f.conrelid = c.oid
             AND f.confrelid IN (SELECT oid FROM reached)
           ORDER BY f.conname COLLATE "C" LIMIT 1) END AS key
FROM reached r
JOIN pg_class c ON c.oid = r.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p')
  AND ($3::text IS NULL OR a.attnum IS NOT NULL AND (r.oid IN (SELECT oid FROM named) OR NOT a.attislocal))
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY named DESC, n.nspname COLLATE "C", c.relname COLLATE "C"
