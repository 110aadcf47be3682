-- Triggers that are switched off: those of users by name, those of foreign keys once per constraint.
SELECT DISTINCT
       n.nspname || '.' || c.relname || '.' || coalesce(con.conname, t.tgname) AS target,
       CASE WHEN con.oid IS NULL THEN 'trigger is disabled'
            WHEN con.conrelid = c.oid THEN 'foreign key is not checked: its trigger is disabled'
            ELSE format('foreign key of %s is not checked from this side: its trigger is disabled',
                        con.conrelid::regclass) END AS message
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_constraint con ON con.oid = t.tgconstraint AND con.contype = 'f'
WHERE t.tgenabled = 'D'
  AND (NOT t.tgisinternal OR con.oid IS NOT NULL)
ORDER BY 1;
