-- How much of a column ($1 schema, $2 table, $3 column) is NULL, as the last ANALYZE saw it; no row without one.
SELECT null_frac AS fraction FROM pg_stats WHERE schemaname = $1 AND tablename = $2 AND attname = $3 AND NOT inherited
