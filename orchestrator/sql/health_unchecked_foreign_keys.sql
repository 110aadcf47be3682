-- Foreign keys that the server does not vouch for: NOT VALID, or with a disabled trigger.  same and
-- filled are conditions on child c and parent p, with the key's own operators.
SELECT n.nspname || '.' || t.relname || '.' || con.conname AS target,
       format('%s%I.%I', CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname, t.relname) AS child,
       format('%s%I.%I', CASE pt.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, pn.nspname, pt.relname) AS parent,
       k.same,
       CASE con.confmatchtype WHEN 'f' THEN k.any_filled ELSE k.filled END AS filled
FROM pg_constraint con
JOIN pg_class t ON t.oid = con.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_class pt ON pt.oid = con.confrelid
JOIN pg_namespace pn ON pn.oid = pt.relnamespace
CROSS JOIN LATERAL (
        SELECT string_agg(format('p.%I OPERATOR(%I.%s) c.%I', pa.attname, o_n.nspname, o.oprname, ca.attname),
                          ' AND ' ORDER BY u.i) AS same,
               string_agg(format('c.%I IS NOT NULL', ca.attname), ' AND ' ORDER BY u.i) AS filled,
               '(' || string_agg(format('c.%I IS NOT NULL', ca.attname), ' OR ' ORDER BY u.i) || ')' AS any_filled
        FROM unnest(con.conkey, con.confkey, con.conpfeqop) WITH ORDINALITY AS u (child, parent, operator, i)
        JOIN pg_attribute ca ON ca.attrelid = con.conrelid AND ca.attnum = u.child
        JOIN pg_attribute pa ON pa.attrelid = con.confrelid AND pa.attnum = u.parent
        JOIN pg_operator o ON o.oid = u.operator
        JOIN pg_namespace o_n ON o_n.oid = o.oprnamespace) AS k
WHERE con.contype = 'f'
  AND con.conparentid = 0
  AND (NOT con.convalidated
       OR con.oid IN (SELECT tg.tgconstraint FROM pg_trigger tg WHERE tg.tgenabled = 'D'))
ORDER BY 1;
