-- Triggers of users that fire on writes; copies that partitions have are left out (tgparentid is of
-- PostgreSQL 13).  enabled: O origin, A always, R replica.
SELECT t.tgrelid::text AS oid, t.tgname AS name, t.tgenabled::text AS enabled
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relkind IN ('r', 'p')
  AND coalesce(to_jsonb(t) ->> 'tgparentid', '0') = '0'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", t.tgname COLLATE "C"
