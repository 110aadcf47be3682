-- What the tables and materialized views of a database hold, a line each: rows, and a sum over their values by the names of
-- the columns, so that neither the order of rows nor that of columns counts. A partitioned table is summed as a whole, and
-- its partitions are only where the hash of their key does not go by an oid of this database.
SET search_path = '';
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET bytea_output = 'hex';
SET extra_float_digits = 1;
SELECT format($query$SELECT %L, count(*), coalesce(sum(hashtextextended(ROW(%s)::text, 0)::numeric), 0) FROM %s %I.%I AS r$query$,
	nspname || '.' || relname,
	(SELECT string_agg(format('r.%I', attname), ', ' ORDER BY attname COLLATE "C") FROM pg_catalog.pg_attribute
		WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
	CASE WHEN relkind = 'r' THEN 'ONLY' ELSE '' END, nspname, relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema' AND (relkind <> 'm' OR relispopulated)
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) a JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = a.relid
		WHERE partstrat = 'h' AND a.relid <> c.oid)
ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec
SELECT 'large object ' || oid, md5(pg_catalog.lo_get(oid)) FROM pg_catalog.pg_largeobject_metadata ORDER BY oid;
