-- Collations in use by a column or an index whose version is not that of the library any more.
WITH used AS (
        SELECT a.attcollation AS oid FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attcollation NOT IN (0, 100, 950, 951) AND c.relkind IN ('r', 'p', 'm', 'i', 'I')
        UNION
        SELECT unnest(i.indcollation::oid[]) FROM pg_index i)
SELECT n.nspname || '.' || c.collname AS target,
       format('indexes were made with version %s of the collation, the system has %s', c.collversion,
              coalesce(pg_collation_actual_version(c.oid), 'none')) AS message
FROM pg_collation c
JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE c.oid IN (SELECT oid FROM used)
  AND c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
  AND c.collversion IS NOT NULL
ORDER BY 1;
