-- Tables whose names are in text $1 and those whose rows follow theirs: partitions and children, and what a foreign key
-- deletes or changes.  wider: a trigger or a rule there may write to any other table; event triggers
-- (oid 0) may, too.
WITH RECURSIVE reach AS (
    SELECT c.oid FROM pg_class c
     WHERE c.relkind IN ('r', 'p') AND NOT starts_with(c.relnamespace::regnamespace::text, 'pg_')
       AND strpos(lower($1::text), lower(c.relname)) > 0
    UNION
    SELECT edge.child FROM reach
    JOIN (SELECT inhparent AS parent, inhrelid AS child FROM pg_inherits
          UNION ALL
          SELECT inhrelid, inhparent FROM pg_inherits
          UNION ALL
          SELECT confrelid, conrelid FROM pg_constraint
           WHERE contype = 'f' AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
         ) AS edge ON edge.parent = reach.oid)
SELECT r.oid::bigint AS oid,
       EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = r.oid AND NOT t.tgisinternal)
       OR EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = r.oid AND w.rulename <> '_RETURN') AS wider
FROM reach r
UNION ALL
SELECT 0, true FROM pg_event_trigger WHERE evtenabled <> 'D'
