-- Databases with our mark.  Their size is asked only where pg_database_size would not fail.
SELECT d.datname AS name, d.oid, d.datallowconn AS open,
       shobj_description(d.oid, 'pg_database') AS comment,
       CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_database_size(d.oid) ELSE -1 END AS bytes
FROM pg_database d
WHERE starts_with(shobj_description(d.oid, 'pg_database'), 'migsafe ')
ORDER BY d.oid::bigint
