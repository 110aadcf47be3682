-- Part of core/schema/snapshot: triggers, rules, policies, event triggers, with their state.
SELECT concat_ws(' ', 'trigger', format('%I.%I.%I', n.nspname, c.relname, t.tgname), 'enabled', t.tgenabled::text,
                 pg_get_triggerdef(t.oid)) AS line
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass
                  AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
-- A foreign key's own triggers have oids in their names; only a state other than the usual is told.
SELECT concat_ws(' ', 'triggers of constraint', format('%I.%I', n.nspname, c.relname), quote_ident(k.conname),
                 'enabled', t.tgenabled::text, count(*))
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
WHERE t.tgisinternal AND t.tgenabled <> 'O'
GROUP BY n.nspname, c.relname, k.conname, t.tgenabled
UNION ALL
SELECT concat_ws(' ', 'rule', format('%I.%I.%I', n.nspname, c.relname, r.rulename), 'enabled', r.ev_enabled::text,
                 pg_get_ruledef(r.oid))
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass
                  AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT concat_ws(' ', 'policy', format('%I.%I.%I', n.nspname, c.relname, p.polname), 'for', p.polcmd::text,
                 CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'to',
                 (SELECT string_agg(CASE WHEN x = 0 THEN 'public' ELSE format('%I', pg_get_userbyid(x)) END, ', '
                                    ORDER BY CASE WHEN x = 0 THEN '' ELSE pg_get_userbyid(x) END COLLATE "C")
                  FROM unnest(p.polroles) x),
                 'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT concat_ws(' ', 'event trigger', format('%I', t.evtname), 'on', t.evtevent, 'tags', t.evttags::text,
                 'runs', t.evtfoid::regprocedure, 'enabled', t.evtenabled::text,
                 'owner', format('%I', pg_get_userbyid(t.evtowner)))
FROM pg_event_trigger t
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_event_trigger'::regclass
                  AND e.objid = t.oid AND e.deptype = 'e')
