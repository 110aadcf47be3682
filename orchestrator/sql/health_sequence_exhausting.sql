-- Sequences past 80 % of what they, or the columns that they fill, can hold.
WITH filled AS MATERIALIZED (
        SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS col
        FROM pg_depend d
        JOIN pg_sequence s ON s.seqrelid = d.objid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
        UNION
        SELECT d.refobjid, def.adrelid, def.adnum
        FROM pg_attrdef def
        JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = def.oid
        JOIN pg_sequence s ON s.seqrelid = d.refobjid
        WHERE d.refclassid = 'pg_class'::regclass),
     columns AS MATERIALIZED (
        SELECT f.seq, min(CASE a.atttypid WHEN 'int2'::regtype THEN 32767
                                          WHEN 'int4'::regtype THEN 2147483647 END) AS most
        FROM filled f
        JOIN pg_attribute a ON a.attrelid = f.rel AND a.attnum = f.col
        GROUP BY f.seq),
     used AS MATERIALIZED (
        SELECT s.seqrelid, s.seqmin, least(s.seqmax, columns.most) AS most,
               CASE WHEN has_sequence_privilege(s.seqrelid, 'SELECT, USAGE')
                    THEN pg_sequence_last_value(s.seqrelid) END AS last
        FROM pg_sequence s
        JOIN pg_class c ON c.oid = s.seqrelid AND c.relpersistence <> 't'
        LEFT JOIN columns ON columns.seq = s.seqrelid
        WHERE NOT s.seqcycle AND s.seqincrement > 0)
SELECT n.nspname || '.' || c.relname AS target,
       format('%s %% of the numbers are used: %s of %s',
              floor((u.last::numeric - u.seqmin) * 100 / nullif(u.most::numeric - u.seqmin, 0)),
              u.last, u.most) AS message
FROM used u
JOIN pg_class c ON c.oid = u.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (u.last::numeric - u.seqmin) / nullif(u.most::numeric - u.seqmin, 0) > 0.8
ORDER BY 1;
