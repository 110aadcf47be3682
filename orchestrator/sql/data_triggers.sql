-- Triggers of users that fire on writes.  enabled: O origin, A always, R replica; copy: that a partition
-- has of its parent's, which may be in another state (tgparentid is of PostgreSQL 13).
SELECT t.tgrelid::text AS oid, t.tgname AS name, t.tgenabled::text AS enabled,
       coalesce(to_jsonb(t) ->> 'tgparentid', '0') <> '0' AS copy
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relkind IN ('r', 'p')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", t.tgname COLLATE "C"
