-- Prints the ALTER TABLE that drops a column with values in it, the first that nothing else depends on:
-- tried and taken back, since only the server knows.
\set ON_ERROR_STOP on
CREATE FUNCTION pg_temp.droppable() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	col record;
	drops text;
	held bool;
BEGIN
	FOR col IN SELECT attrelid::regclass AS rel, attname
		FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind = 'r' AND NOT relispartition AND attnum > 0 AND NOT attisdropped AND nspname !~ '^pg_' AND nspname <> 'information_schema'
			AND relname <> '_prisma_migrations' AND has_table_privilege(c.oid, 'SELECT')
		-- One that no key or index holds, where there is such a column.
		ORDER BY EXISTS (SELECT FROM pg_depend WHERE refobjid = attrelid AND refobjsubid = attnum), attrelid::regclass::text COLLATE "C", attnum DESC
	LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s WHERE %I IS NOT NULL)', col.rel, col.attname) INTO held;
		CONTINUE WHEN NOT held;
		drops := format('ALTER TABLE %s DROP COLUMN %I;', col.rel, col.attname);
		BEGIN
			EXECUTE drops;
			RAISE EXCEPTION USING ERRCODE = 'MS001';
		EXCEPTION
			WHEN SQLSTATE 'MS001' THEN
				RETURN drops;
			WHEN OTHERS THEN
				CONTINUE;
		END;
	END LOOP;
	RETURN NULL;
END $$;
SELECT drops FROM pg_temp.droppable() AS drops WHERE drops IS NOT NULL;
