-- Sequences past 80 % of what they, or the columns that they fill, can hold.
SELECT n.nspname || '.' || c.relname AS target,
       format('%s %% of the numbers are used: %s of %s', floor(f.used * 100), f.last, f.most) AS message
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
        SELECT min(CASE a.atttypid WHEN 'int2'::regtype THEN 32767
                                   WHEN 'int4'::regtype THEN 2147483647 END) AS most
        FROM pg_depend d
        LEFT JOIN pg_attrdef def ON d.classid = 'pg_attrdef'::regclass AND def.oid = d.objid
        JOIN pg_attribute a ON a.attrelid = coalesce(def.adrelid, d.refobjid)
                           AND a.attnum = coalesce(def.adnum, d.refobjsubid)
        WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
              AND d.refobjid = s.seqrelid
           OR d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
              AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) AS columns
CROSS JOIN LATERAL (
        SELECT CASE WHEN has_sequence_privilege(s.seqrelid, 'SELECT, USAGE')
                    THEN pg_sequence_last_value(s.seqrelid) END AS last,
               least(s.seqmax, columns.most) AS most) AS v
CROSS JOIN LATERAL (
        SELECT v.last, v.most,
               (v.last::numeric - s.seqmin) / nullif(v.most::numeric - s.seqmin, 0) AS used) AS f
WHERE NOT s.seqcycle
  AND s.seqincrement > 0
  AND f.used > 0.8
ORDER BY 1;
