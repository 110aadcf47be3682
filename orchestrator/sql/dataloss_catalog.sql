-- Tables with their columns in order, dropped ones too; as in a manifest without those of extensions.  missing: what rows that are older than the
-- column's ADD COLUMN ... DEFAULT have in it.  computed: it fills itself, row by row.
SELECT n.nspname AS schema,
       c.relname AS name,
       c.oid::text AS oid,
       c.relkind = 'p' AS partitioned,
       a.attnum AS place,
       a.attisdropped AS dropped,
       a.attname AS attribute,
       format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AS nullable,
       a.attgenerated <> '' OR a.atthasdef AND EXISTS (
           SELECT FROM pg_attrdef def
           CROSS JOIN LATERAL regexp_matches(def.adbin::text, ':(?:op)?funcid ([0-9]+)', 'g') AS f (oid)
           JOIN pg_proc p ON p.oid = f.oid[1]::oid AND p.provolatile = 'v'
           WHERE def.adrelid = a.attrelid AND def.adnum = a.attnum) AS computed,
       CASE WHEN a.atthasmissing AND NOT a.attisdropped
            THEN (a.attmissingval::text::text[])[1] END AS missing
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relkind IN ('r', 'p')
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum;
