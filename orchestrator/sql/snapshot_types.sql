-- Part of core/schema/snapshot: sequences' definition (not their value), enums, domains, ranges and
-- base types.  Types that come with a table or another type are left out.
SELECT concat_ws(' ', 'sequence', format('%I.%I', n.nspname, c.relname), 'is', format_type(s.seqtypid, NULL),
                 'start', s.seqstart, 'by', s.seqincrement, 'from', s.seqmin, 'to', s.seqmax, 'cache', s.seqcache,
                 CASE WHEN s.seqcycle THEN 'cycle' END,
                 'of ' || (SELECT format('%I.%I.%I', tn.nspname, t.relname, a.attname)
                           FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid
                           JOIN pg_namespace tn ON tn.oid = t.relnamespace
                           JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
                           WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                             AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))) AS line
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass
                  AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT concat_ws(' ', 'type', format('%I.%I', n.nspname, t.typname), 'kind', t.typtype::text,
                 'owner', format('%I', pg_get_userbyid(t.typowner)),
                 'acl', (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
                         FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) x),
                 CASE WHEN NOT t.typisdefined THEN 'shell' END,
                 'labels ' || (SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder)
                               FROM pg_enum l WHERE l.enumtypid = t.oid),
                 'as ' || format_type(nullif(t.typbasetype, 0), t.typtypmod),
                 CASE WHEN t.typnotnull THEN 'not null' END,
                 'default ' || t.typdefault,
                 'collate ' || (SELECT format('%I.%I', cn.nspname, co.collname)
                                FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
                                WHERE co.oid = t.typcollation),
                 (SELECT concat_ws(' ', 'range of', format_type(r.rngsubtype, NULL), o.opcname,
                                   r.rngcanonical::text, r.rngsubdiff::text, c.collname)
                  FROM pg_range r
                  JOIN pg_opclass o ON o.oid = r.rngsubopc
                  LEFT JOIN pg_collation c ON c.oid = r.rngcollation
                  WHERE r.rngtypid = t.oid),
                 CASE WHEN t.typtype = 'b'
                      THEN concat_ws(' ', t.typlen, t.typbyval, t.typcategory::text, t.typispreferred, t.typdelim::text,
                                     t.typinput::text, t.typoutput::text, t.typreceive::text, t.typsend::text,
                                     t.typmodin::text, t.typmodout::text, t.typanalyze::text, t.typalign::text,
                                     t.typstorage::text) END)
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (t.typtype <> 'c' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
  AND NOT EXISTS (SELECT FROM pg_type m WHERE m.typarray = t.oid)
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass
                  AND e.objid = t.oid AND e.deptype = 'e')
