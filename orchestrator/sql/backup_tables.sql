-- The tables that hold rows of the user's and of extensions' configuration: what pg_dump locks.
-- Run twice: before the tables are locked, and in the snapshot, where `rewritten` compares what the
-- snapshot sees with what is (TRUNCATE and rewriting ALTER TABLE are not MVCC-safe).
-- What an unlogged table holds cannot be read on a standby.
SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
       c.relkind = 'r' AND NOT x.member AS counted,
       c.relfilenode <> coalesce(pg_relation_filenode(c.oid), 0) AS rewritten,
       pg_stat_get_tuples_inserted(c.oid) AS inserted,
       pg_stat_get_tuples_updated(c.oid) AS updated,
       pg_stat_get_tuples_deleted(c.oid) AS deleted
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM pg_depend d
                   WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
           AS member) x
WHERE c.relkind IN ('r', 'p')
  AND c.relpersistence <> 't'
  AND (c.relpersistence <> 'u' OR NOT pg_is_in_recovery())
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (NOT x.member OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
