-- What a database has outside of its dump. $1: its name.
-- Columns that came or were renamed with a version (datlocprovider 15, daticurules 16, daticulocale
-- called datlocale since 17) are read through to_jsonb, so that one query serves them all.
SELECT d.datname, d.oid::text AS oid, pg_get_userbyid(d.datdba) AS owner,
       pg_encoding_to_char(d.encoding) AS encoding, d.datcollate, d.datctype,
       coalesce(j.facts ->> 'datlocprovider', 'c') AS locale_provider,
       coalesce(j.facts ->> 'datlocale', j.facts ->> 'daticulocale') AS icu_locale,
       j.facts ->> 'daticurules' AS icu_rules,
       t.spcname, d.datacl::text AS acl, d.datconnlimit,
       shobj_description(d.oid, 'pg_database') AS comment,
       -- Whoever may not connect may not ask for the size either.
       CASE WHEN has_database_privilege(d.oid, 'CONNECT')
                 OR pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_database_size(d.oid) ELSE -1 END AS bytes
FROM pg_database d
JOIN pg_tablespace t ON t.oid = d.dattablespace
CROSS JOIN LATERAL (SELECT to_jsonb(d) AS facts) j
WHERE d.datname = $1
