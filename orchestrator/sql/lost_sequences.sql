-- Where sequences stand; those never used, or not readable for us, left out.
SELECT schemaname AS schema, sequencename AS name, last_value, increment_by < 0 AS descending
FROM pg_sequences WHERE last_value IS NOT NULL
ORDER BY schemaname COLLATE "C", sequencename COLLATE "C"
