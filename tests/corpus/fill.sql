-- Fills every table of a database that nobody has seen before: psql -v rows=20 -Atq -f fill.sql
--
-- Prints a line per table: name, rows, and for an empty one what the server said.  The same
-- schema gets the same rows.  Everything the schema demands holds: what is wrong is refused by the
-- server and tried in another variant, so that nothing here must understand a constraint.  Helpers
-- live in pg_temp and go with the session.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_min_messages = error;
SET CONSTRAINTS ALL IMMEDIATE;

-- Variants of a column's value; the next one is tried where the server refused the row for its sake.
-- 0 anything of the type   1 what checks and partition bounds name; later columns have larger values
-- 2 small numbers, plain words   3 NULL or a constant default where there is one   4 the same, else as 1

-- The n-th value of a type, as an expression; NULL when nothing suits.
CREATE FUNCTION pg_temp.value(type oid, modifier int, n int, salt text, variant int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t pg_type;
	name text := format_type(type, modifier);
	expression text;
BEGIN
	SELECT * INTO STRICT t FROM pg_type WHERE oid = type;
	CASE
	WHEN t.typtype = 'd' THEN
		expression := pg_temp.value(t.typbasetype, t.typtypmod, n, salt, variant);
	WHEN t.typtype = 'e' THEN
		SELECT quote_literal((array_agg(enumlabel ORDER BY enumsortorder))[1 + (n - 1) % count(*)]) INTO expression
		FROM pg_enum WHERE enumtypid = type;
	WHEN t.typtype = 'c' THEN
		SELECT format('ROW(%s)', string_agg(coalesce(pg_temp.value(atttypid, atttypmod, n, attname, variant), 'NULL'), ', ' ORDER BY attnum))
		INTO expression FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped;
	WHEN t.typtype = 'r' THEN
		-- Neighbours that do not overlap, for exclusion constraints.
		SELECT format('%s(%s, %s)', name, pg_temp.value(rngsubtype, -1, n, salt, variant), pg_temp.value(rngsubtype, -1, n + 1, salt, variant))
		INTO expression FROM pg_range WHERE rngtypid = type;
	WHEN t.typtype = 'm' THEN
		SELECT format('%s(%s)', name, pg_temp.value(rngtypid, -1, n, salt, variant)) INTO expression
		FROM pg_range WHERE rngmultitypid = type;
	WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN
		expression := format('ARRAY[%s]', pg_temp.value(t.typelem, modifier, n, salt, variant));
	WHEN t.typname IN ('json', 'jsonb') THEN
		expression := quote_literal(json_build_object('n', n, salt, ARRAY[n, NULL], 'text', E'a "quote" \\ \t\n'));
	WHEN t.typname = 'uuid' THEN
		expression := quote_literal(md5(salt || n));
	WHEN t.typname = 'bytea' THEN
		expression := quote_literal('\x00ff' || md5(salt || n));
	WHEN t.typname = 'bool' THEN
		expression := quote_literal(n % 2 = 0);
	WHEN t.typname = 'date' THEN
		expression := quote_literal(date '2024-01-01' + n);
	WHEN t.typname IN ('timestamp', 'timestamptz') THEN
		expression := quote_literal((timestamp '2024-01-01' + n * interval '1 day 1.000001 s')::text || '+00');
	WHEN t.typname IN ('time', 'timetz') THEN
		expression := quote_literal(format('%s:30+00', n % 24));
	WHEN t.typname IN ('bit', 'varbit') THEN
		expression := quote_literal(right((n::bit(16))::text, CASE WHEN modifier > 0 THEN modifier ELSE 16 END));
	WHEN t.typname = 'numeric' AND modifier > 3 AND ((modifier - 4) >> 16) - ((modifier - 4) & 65535) < 2 THEN
		expression := format('%s / 10.0 ^ %s', n, (modifier - 4) & 65535);
	WHEN t.typcategory = 'N' THEN
		expression := CASE WHEN variant IN (2, 4) THEN 1 + n % 5 ELSE n END;
	WHEN t.typcategory = 'S' THEN
		-- The number comes first: what is cut off to fit must not be what makes it unique.
		expression := quote_literal(CASE
			WHEN modifier = 5 THEN chr(97 + n % 26)
			WHEN modifier BETWEEN 6 AND 43 THEN left(lpad(n::text, 2, '0') || salt, modifier - 4)
			WHEN variant = 2 THEN 'abcdefghij' || chr(97 + n / 26 % 26) || chr(97 + n % 26)
			ELSE lpad(n::text, 2, '0') || ' ' || left(salt, 20) || E' \u00fc \U0001F642 ''"\\\t\n' END);
	ELSE
		-- Whatever the type's own input function takes.
		FOREACH expression IN ARRAY ARRAY[n::text, '10.0.0.' || n, '08:00:2b:01:02:' || lpad(n::text, 2, '0'), '0/' || n,
			format('(%s,%s)', n, n), format('((%s,%s),(%s,%s))', n, n, n + 1, n + 1), format('<(%s,%s),1>', n, n),
			format('{1,%s,3}', n), 'n=>' || n, format('[%s%s]', n, repeat(',0', CASE WHEN modifier > 0 THEN modifier - 1 ELSE 2 END))]
		LOOP
			BEGIN
				EXECUTE format('SELECT %L::%s', expression, name);
				RETURN format('%L::%s', expression, name);
			EXCEPTION WHEN OTHERS THEN
				CONTINUE;
			END;
		END LOOP;
		RETURN NULL;
	END CASE;
	RETURN format('(%s)::%s', expression, name);
END $$;

-- The words and numbers in the checks of a column and of its domain, and in the bounds of partitions by it.
CREATE FUNCTION pg_temp.hints(rel oid, col int, type oid) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(coalesce(found[1], found[2])) FROM (
		SELECT pg_get_constraintdef(oid) AS said FROM pg_constraint
		WHERE contype = 'c' AND (conrelid = rel AND col = ANY (conkey) OR contypid = type)
		UNION ALL
		SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_partitioned_table, pg_inherits JOIN pg_class c ON c.oid = inhrelid
		WHERE partrelid = rel AND inhparent = rel AND col = ANY (partattrs::int2[])
		ORDER BY 1) AS texts, regexp_matches(said, '''((?:[^'']|'''')*)''|(-?\m\d+\M)', 'g') AS found
$$;

-- The n-th row that a foreign key may point to, as literals, or one that is so many rows earlier; NULL: none.
-- Columns that have their value already must match.
CREATE FUNCTION pg_temp.parent(target oid, keys int2[], wanted text[], n int, earlier int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	columns text;
	literals text;
	conditions text;
	found bigint;
	chosen text[];
BEGIN
	SELECT string_agg(format('%I', attname), ', ' ORDER BY i), string_agg(format('quote_literal(%I)', attname), ', ' ORDER BY i),
		string_agg(CASE WHEN wanted[i] IS NULL THEN format('%I IS NOT NULL', attname) ELSE format('%I = %s', attname, wanted[i]) END, ' AND ')
	INTO columns, literals, conditions
	FROM unnest(keys) WITH ORDINALITY AS k (num, i) JOIN pg_attribute ON attrelid = target AND attnum = num;
	EXECUTE format('SELECT count(*) FROM %s WHERE %s', target::regclass, conditions) INTO found;
	IF found > 0 AND (n - 1) % found >= earlier THEN
		EXECUTE format('SELECT ARRAY[%s] FROM %s WHERE %s ORDER BY %s OFFSET %s LIMIT 1',
			literals, target::regclass, conditions, columns, (n - 1) % found - earlier) INTO chosen;
	END IF;
	RETURN chosen;
END $$;

CREATE FUNCTION pg_temp.references_of(rel oid) RETURNS TABLE (i int, earlier int, target oid, columns int2[], keys int2[], optional bool) LANGUAGE sql AS $$
	SELECT (row_number() OVER everything)::int, (row_number() OVER (PARTITION BY confrelid ORDER BY cardinality(conkey) DESC, conname))::int - 1,
		confrelid, conkey, confkey,
		(SELECT bool_and(NOT attnotnull) FROM pg_attribute WHERE attrelid = rel AND attnum = ANY (conkey))
	FROM pg_constraint WHERE conrelid = rel AND contype = 'f' AND conparentid = 0
	WINDOW everything AS (ORDER BY cardinality(conkey) DESC, conname)
$$;

CREATE FUNCTION pg_temp.insert_row(rel oid, n int, variants int[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	vals text[] := '{}'; -- by number of column
	taken int2[] := '{}';
	wanted text[];
	hints text[];
	variant int;
	key record;
	col record;
	names text[] := '{}';
	expressions text[] := '{}';
BEGIN
	FOR key IN SELECT * FROM pg_temp.references_of(rel) ORDER BY i LOOP
		taken := taken || key.columns;
		CONTINUE WHEN key.optional AND n % 7 = 0;
		wanted := ARRAY(SELECT vals[c] FROM unnest(key.columns) WITH ORDINALITY AS k (c, o) ORDER BY o);
		-- Two keys to one table get different rows, and make no ring: real migrations walk along such keys.
		wanted := pg_temp.parent(key.target, key.keys, wanted, n, key.earlier);
		FOR o IN 1 .. coalesce(cardinality(wanted), 0) LOOP
			vals[key.columns[o]] := wanted[o];
		END LOOP;
	END LOOP;
	FOR col IN SELECT a.*, NOT attnotnull AND NOT typnotnull AS optional, pg_get_expr(adbin, adrelid) AS standard
		FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE attrelid = rel AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '' ORDER BY attnum
	LOOP
		variant := variants[col.attnum];
		IF vals[col.attnum] IS NULL AND col.attnum <> ALL (taken) THEN
			CONTINUE WHEN col.standard LIKE 'nextval(%';
			-- A default that calls something (now(), a random uuid) would be another one each time.
			CONTINUE WHEN variant >= 3 AND col.standard NOT LIKE '%(%';
			IF col.optional AND (variant >= 3 OR n % 7 = 0) THEN
				vals[col.attnum] := 'NULL';
			ELSE
				hints := CASE WHEN variant IN (1, 4) THEN pg_temp.hints(rel, col.attnum, col.atttypid) END;
				vals[col.attnum] := coalesce(quote_literal(hints[1 + n % cardinality(hints)]),
					pg_temp.value(col.atttypid, col.atttypmod, n + CASE variant WHEN 1 THEN col.attnum ELSE 0 END, col.attname, variant));
			END IF;
		END IF;
		IF vals[col.attnum] IS NOT NULL THEN
			names := names || quote_ident(col.attname);
			expressions := expressions || vals[col.attnum];
		END IF;
	END LOOP;
	IF names = '{}' THEN
		EXECUTE format('INSERT INTO %s DEFAULT VALUES', rel::regclass);
	ELSE
		EXECUTE format('INSERT INTO %s (%s) VALUES (%s)', rel::regclass, array_to_string(names, ', '), array_to_string(expressions, ', '));
	END IF;
END $$;

-- The columns that an error is about; all when it does not say.
CREATE FUNCTION pg_temp.blamed(rel oid, broken text, domain text) RETURNS int2[] LANGUAGE sql AS $$
	SELECT array_agg(attnum) FILTER (WHERE attnum = ANY (said.columns) OR said.columns IS NULL)
	FROM pg_attribute, LATERAL (SELECT coalesce(
		(SELECT conkey FROM pg_constraint WHERE conrelid = rel AND conname = broken AND cardinality(conkey) > 0),
		(SELECT indkey::int2[] FROM pg_index JOIN pg_class i ON i.oid = indexrelid WHERE indrelid = rel AND relname = broken),
		(SELECT array_agg(attnum) FROM pg_attribute JOIN pg_type t ON t.oid = atttypid WHERE attrelid = rel AND typname = domain))) AS said (columns)
	WHERE attrelid = rel AND attnum > 0
$$;

CREATE FUNCTION pg_temp.fill_table(rel oid, want int, OUT inserted int, OUT reason text) LANGUAGE plpgsql AS $$
DECLARE
	-- Kept from row to row: what the table accepts is found out once.
	variants int[] := array_fill(0, ARRAY[(SELECT relnatts FROM pg_class WHERE oid = rel)]);
	broken text;
	domain text;
	col int;
BEGIN
	inserted := 0;
	FOR n IN 1 .. want LOOP
		FOR attempt IN 1 .. 10 LOOP
			BEGIN
				PERFORM pg_temp.insert_row(rel, n, variants);
				inserted := inserted + 1;
				EXIT;
			EXCEPTION WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME, domain = PG_DATATYPE_NAME;
				IF reason IS NULL OR strpos(reason, SQLERRM) = 0 AND length(reason) < 200 THEN
					reason := concat_ws('; ', reason, SQLERRM);
				END IF;
			END;
			FOREACH col IN ARRAY pg_temp.blamed(rel, broken, domain) LOOP
				variants[col] := (variants[col] + 1) % 5;
			END LOOP;
		END LOOP;
	END LOOP;
END $$;

-- Keys that had no row to point to when theirs was made: two tables that point to each other.
CREATE FUNCTION pg_temp.close_cycles(rel oid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	key record;
	line record;
	names text[];
	chosen text[];
	missing bool;
	n int;
BEGIN
	FOR key IN SELECT * FROM pg_temp.references_of(rel) WHERE optional ORDER BY i LOOP
		n := 0;
		names := ARRAY(SELECT quote_ident(attname) FROM unnest(key.columns) WITH ORDINALITY AS k (num, o)
			JOIN pg_attribute ON attrelid = rel AND attnum = num ORDER BY o);
		EXECUTE format('SELECT bool_and(num_nulls(%s) > 0) FROM %s', array_to_string(names, ', '), rel::regclass) INTO missing;
		CONTINUE WHEN missing IS NOT TRUE;
		FOR line IN EXECUTE format('SELECT tableoid AS t, ctid AS c FROM %s ORDER BY tableoid, ctid', rel::regclass) LOOP
			n := n + 1;
			chosen := pg_temp.parent(key.target, key.keys, '{}', n, 0);
			CONTINUE WHEN n % 3 = 0 OR chosen IS NULL;
			BEGIN
				EXECUTE format('UPDATE %s SET (%s) = ROW(%s) WHERE tableoid = %L AND ctid = %L', rel::regclass,
					array_to_string(names, ', '), array_to_string(chosen, ', '), line.t, line.c);
			EXCEPTION WHEN OTHERS THEN
				CONTINUE;
			END;
		END LOOP;
	END LOOP;
END $$;

CREATE TEMP TABLE to_fill ON COMMIT DROP AS
SELECT c.oid AS rel, c.oid::regclass::text AS name, NULL::int AS inserted, NULL::text AS reason
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relpersistence <> 't' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
	AND relname <> '_prisma_migrations' AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e');

CREATE FUNCTION pg_temp.fill(want int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	next oid;
BEGIN
	LOOP
		-- First those whose parents all had their turn; a cycle is entered where its key may be NULL.
		SELECT rel INTO next FROM pg_temp.to_fill t WHERE inserted IS NULL
		ORDER BY (SELECT count(*) FILTER (WHERE NOT optional) * 1000 + count(*) FROM pg_temp.references_of(t.rel) k
			JOIN pg_temp.to_fill p ON p.rel = k.target WHERE p.rel <> t.rel AND p.inserted IS NULL), name
		LIMIT 1;
		EXIT WHEN NOT FOUND;
		UPDATE pg_temp.to_fill SET (inserted, reason) = (SELECT f.inserted, f.reason FROM pg_temp.fill_table(next, want) f) WHERE rel = next;
	END LOOP;
	PERFORM pg_temp.close_cycles(rel) FROM pg_temp.to_fill WHERE inserted > 0 ORDER BY name;
END $$;

SELECT FROM pg_temp.fill(:rows) \g /dev/null
SELECT name, inserted, CASE WHEN inserted = 0 THEN regexp_replace(reason, '\s+', ' ', 'g') END FROM to_fill ORDER BY name COLLATE "C";
COMMIT;
