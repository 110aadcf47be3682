-- The same for the database's own collation (15 and later).
SELECT 'database ' || datname AS target,
       format('indexes were made with version %s of the collation, the system has %s', datcollversion,
              coalesce(pg_database_collation_actual_version(oid), 'none')) AS message
FROM pg_database
WHERE datname = current_database()
  AND datcollversion IS NOT NULL
  AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid);
