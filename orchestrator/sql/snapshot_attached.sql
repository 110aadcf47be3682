-- Catalog snapshot: what is attached to relations: indexes, constraints, sequences, triggers, rules, policies.
WITH rel AS (
    SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                        AND d.objid = c.oid AND d.deptype = 'e'))
SELECT format('index of %s: %s valid=%s ready=%s clustered=%s identity=%s parent=%s', rel.name,
              pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indisclustered,
              i.indisreplident, (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = i.indexrelid)) AS line
  FROM rel JOIN pg_index i ON i.indrelid = rel.oid
UNION ALL
SELECT format('constraint %I of %s: %s validated=%s local=%s', o.conname,
              coalesce(rel.name, o.contypid::regtype::text), pg_get_constraintdef(o.oid),
              o.convalidated, o.conislocal)
  FROM pg_constraint o
  LEFT JOIN rel ON rel.oid = o.conrelid
 WHERE rel.oid IS NOT NULL OR (o.contypid <> 0 AND EXISTS (
       SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE t.oid = o.contypid AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'))
UNION ALL
SELECT format('sequence %s type=%s start=%s by=%s min=%s max=%s cache=%s cycle=%s owner=%s', rel.name,
              s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
              (SELECT format('%s.%s', d.refobjid::regclass, a.attname)
                 FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
                  AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
  FROM rel JOIN pg_sequence s ON s.seqrelid = rel.oid
UNION ALL
SELECT format('trigger of %s: %s enabled=%s', rel.name, pg_get_triggerdef(t.oid), t.tgenabled)
  FROM rel JOIN pg_trigger t ON t.tgrelid = rel.oid
 WHERE NOT t.tgisinternal
UNION ALL
SELECT format('foreign key triggers of %s: %s of constraint %I enabled=%s', rel.name, count(*), o.conname, t.tgenabled)
  FROM rel JOIN pg_trigger t ON t.tgrelid = rel.oid
  JOIN pg_constraint o ON o.oid = t.tgconstraint
 WHERE t.tgisinternal
 GROUP BY rel.name, o.conname, t.tgenabled
UNION ALL
SELECT format('rule of %s: %s enabled=%s', rel.name, pg_get_ruledef(r.oid), r.ev_enabled)
  FROM rel JOIN pg_rewrite r ON r.ev_class = rel.oid
 WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT format('policy %I of %s command=%s permissive=%s roles=%s using=%s check=%s', p.polname, rel.name,
              p.polcmd, p.polpermissive,
              (SELECT string_agg(CASE WHEN r = 0 THEN 'public' ELSE pg_get_userbyid(r) END, ',' ORDER BY r) FROM unnest(p.polroles) r),
              pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
  FROM rel JOIN pg_policy p ON p.polrelid = rel.oid
UNION ALL
SELECT format('statistics of %s: %s owner=%s', rel.name, pg_get_statisticsobjdef(x.oid), pg_get_userbyid(x.stxowner))
  FROM rel JOIN pg_statistic_ext x ON x.stxrelid = rel.oid;
