-- Part of core/schema/snapshot: functions, procedures, aggregates.  Bodies as digests: they are long.
WITH routine AS (
    SELECT p.*, format('%s %I.%I(%s)', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
                ELSE 'function' END, n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS what
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass
                      AND e.objid = p.oid AND e.deptype = 'e')
)
SELECT concat_ws(' ', r.what, 'owner', format('%I', pg_get_userbyid(r.proowner)), 'acl',
                 (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
                  FROM unnest(coalesce(r.proacl, acldefault('f', r.proowner))) x)) AS line
FROM routine r
UNION ALL
SELECT concat_ws(' ', r.what, 'returns', pg_get_function_result(r.oid), 'definition',
                 md5(pg_get_functiondef(r.oid)))
FROM routine r
WHERE r.prokind <> 'a'
UNION ALL
SELECT concat_ws(' ', r.what, 'definition', to_jsonb(g) - '{aggfnoid,aggsortop,aggtranstype,aggmtranstype}'::text[],
                 format_type(g.aggtranstype, NULL), format_type(nullif(g.aggmtranstype, 0), NULL),
                 nullif(g.aggsortop, 0)::regoperator, r.proparallel::text)
FROM routine r JOIN pg_aggregate g ON g.aggfnoid = r.oid
