-- Publications and event triggers, but for those of extensions.
SELECT o.statement FROM (
    SELECT 'pg_event_trigger'::regclass AS classid, oid, format('DROP EVENT TRIGGER %I', evtname) AS statement
    FROM pg_event_trigger
    UNION ALL
    SELECT 'pg_publication'::regclass, oid, format('DROP PUBLICATION %I', pubname) FROM pg_publication) o
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e')
ORDER BY 1
