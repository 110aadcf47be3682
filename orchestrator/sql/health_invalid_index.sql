-- Indexes that are not valid or not ready and that nobody is building right now.
-- What a session may not see of another (no pg_read_all_stats) counts as "building it".
-- REINDEX CONCURRENTLY makes all copies (_ccnew) of a table's indexes first and builds them one by one.
SELECT n.nspname || '.' || c.relname AS target,
       format('index on %I.%I is %s', tn.nspname, t.relname,
              CASE WHEN i.indisready THEN 'not valid' ELSE 'not ready' END) AS message
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE NOT (i.indisvalid AND i.indisready)
  AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (
        SELECT FROM pg_stat_progress_create_index p
        WHERE p.datid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND (p.relid IS NULL
               OR p.index_relid = i.indexrelid
               OR p.relid = i.indrelid
                  AND (p.index_relid = 0 OR c.relname ~ '_cc(new|old)[0-9]*$')))
ORDER BY 1;
