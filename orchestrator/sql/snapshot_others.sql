-- Part of core/schema/snapshot: what migrations seldom make.  Built-in objects have oids below 16384;
-- what belongs to an extension is taken out of all of them at the end.
WITH object (class, id, line) AS (
    SELECT 'pg_statistic_ext'::regclass, s.oid,
           concat_ws(' ', pg_get_statisticsobjdef(s.oid), 'owner', format('%I', pg_get_userbyid(s.stxowner)),
                     'statistics ' || nullif(to_jsonb(s) ->> 'stxstattarget', '-1'))
    FROM pg_statistic_ext s
    UNION ALL
    SELECT 'pg_collation'::regclass, c.oid,
           concat_ws(' ', 'collation', format('%I.%I', n.nspname, c.collname),
                     'owner', format('%I', pg_get_userbyid(c.collowner)),
                     to_jsonb(c) - '{oid,collname,collnamespace,collowner}'::text[])
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid,
           concat_ws(' ', 'operator', o.oid::regoperator, 'owner', format('%I', pg_get_userbyid(o.oprowner)),
                     o.oprcode, o.oprrest, o.oprjoin, nullif(o.oprcom, 0)::regoperator,
                     nullif(o.oprnegate, 0)::regoperator, o.oprcanmerge, o.oprcanhash)
    FROM pg_operator o
    UNION ALL
    SELECT 'pg_cast'::regclass, c.oid,
           concat_ws(' ', 'cast', format_type(c.castsource, NULL), 'as', format_type(c.casttarget, NULL),
                     nullif(c.castfunc, 0)::regprocedure, c.castcontext::text, c.castmethod::text)
    FROM pg_cast c
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid,
           concat_ws(' ', 'language', format('%I', l.lanname), 'owner', format('%I', pg_get_userbyid(l.lanowner)),
                     CASE WHEN l.lanpltrusted THEN 'trusted' END, l.lanplcallfoid::regproc)
    FROM pg_language l
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, w.oid,
           concat_ws(' ', 'foreign data wrapper', format('%I', w.fdwname),
                     'owner', format('%I', pg_get_userbyid(w.fdwowner)), w.fdwhandler::regproc,
                     w.fdwvalidator::regproc, w.fdwoptions::text,
                     (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
                      FROM unnest(coalesce(w.fdwacl, acldefault('F', w.fdwowner))) x))
    FROM pg_foreign_data_wrapper w
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, s.oid,
           concat_ws(' ', 'server', format('%I', s.srvname), 'owner', format('%I', pg_get_userbyid(s.srvowner)),
                     format('%I', w.fdwname), s.srvtype, s.srvversion, md5(s.srvoptions::text),
                     (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
                      FROM unnest(coalesce(s.srvacl, acldefault('S', s.srvowner))) x))
    FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    UNION ALL
    SELECT 'pg_user_mapping'::regclass, m.umid,
           concat_ws(' ', 'user mapping', format('%I', m.usename), format('%I', m.srvname), md5(m.umoptions::text))
    FROM pg_user_mappings m
    UNION ALL
    SELECT 'pg_ts_config'::regclass, t.oid,
           concat_ws(' ', 'text search configuration', format('%I.%I', n.nspname, t.cfgname),
                     'owner', format('%I', pg_get_userbyid(t.cfgowner)), 'parser', format('%I', p.prsname),
                     (SELECT string_agg(m.maptokentype || ':' || m.mapdict::regdictionary, ' '
                                        ORDER BY m.maptokentype, m.mapseqno)
                      FROM pg_ts_config_map m WHERE m.mapcfg = t.oid))
    FROM pg_ts_config t
    JOIN pg_namespace n ON n.oid = t.cfgnamespace
    JOIN pg_ts_parser p ON p.oid = t.cfgparser
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, t.oid,
           concat_ws(' ', 'text search dictionary', format('%I.%I', n.nspname, t.dictname),
                     'owner', format('%I', pg_get_userbyid(t.dictowner)), format('%I', p.tmplname), t.dictinitoption)
    FROM pg_ts_dict t
    JOIN pg_namespace n ON n.oid = t.dictnamespace
    JOIN pg_ts_template p ON p.oid = t.dicttemplate
    UNION ALL
    SELECT 'pg_opclass'::regclass, c.oid,
           concat_ws(' ', 'operator class', format('%I.%I', n.nspname, c.opcname), a.amname,
                     'owner', format('%I', pg_get_userbyid(c.opcowner)), format_type(c.opcintype, NULL),
                     CASE WHEN c.opcdefault THEN 'default' END, format('%I', f.opfname),
                     format_type(nullif(c.opckeytype, 0), NULL))
    FROM pg_opclass c
    JOIN pg_am a ON a.oid = c.opcmethod
    JOIN pg_namespace n ON n.oid = c.opcnamespace
    JOIN pg_opfamily f ON f.oid = c.opcfamily
    UNION ALL
    SELECT 'pg_opfamily'::regclass, f.oid,
           concat_ws(' ', 'operator family', i.identity, 'owner', format('%I', pg_get_userbyid(f.opfowner)))
    FROM pg_opfamily f, pg_identify_object('pg_opfamily'::regclass, f.oid, 0) i
    WHERE f.oid >= 16384
    UNION ALL
    SELECT x.class, x.id, concat_ws(' ', i.type, i.identity, x.details)
    FROM (SELECT 'pg_conversion'::regclass, c.oid, concat_ws(' ', c.conproc, c.condefault) FROM pg_conversion c
          UNION ALL
          SELECT 'pg_am'::regclass, a.oid, a.amhandler::text FROM pg_am a
          UNION ALL
          SELECT 'pg_ts_parser'::regclass, p.oid, p.prsstart::text FROM pg_ts_parser p
          UNION ALL
          SELECT 'pg_ts_template'::regclass, t.oid, t.tmpllexize::text FROM pg_ts_template t
          UNION ALL
          SELECT 'pg_transform'::regclass, t.oid, concat_ws(' ', t.trffromsql, t.trftosql) FROM pg_transform t
         ) AS x (class, id, details),
         pg_identify_object(x.class, x.id, 0) i
    WHERE x.id >= 16384
)
SELECT o.line
FROM object o
WHERE o.id >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.class AND e.objid = o.id AND e.deptype = 'e')
UNION ALL
-- Members of families, of built-in ones too.
SELECT concat_ws(' ', i.type, i.identity)
FROM (SELECT m.amopfamily, 'pg_amop'::regclass, m.oid FROM pg_amop m WHERE m.oid >= 16384
      UNION ALL
      SELECT m.amprocfamily, 'pg_amproc'::regclass, m.oid FROM pg_amproc m WHERE m.oid >= 16384
     ) AS x (family, class, id),
     pg_identify_object(x.class, x.id, 0) i
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e'
                  AND ((e.classid = 'pg_opfamily'::regclass AND e.objid = x.family)
                       OR (e.classid = x.class AND e.objid = x.id)))
UNION ALL
-- Built-in languages have no line above, but their privileges can be changed.
SELECT concat_ws(' ', 'language', format('%I', l.lanname), 'acl',
                 (SELECT string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
                  FROM unnest(coalesce(l.lanacl, acldefault('l', l.lanowner))) x))
FROM pg_language l
