-- Tables that belong to another role than most tables of their schema (the database's owner wins a
-- tie): made by a migration that ran as the wrong role.
WITH tables AS (
        SELECT n.nspname, c.relname, c.relowner
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
          AND c.relpersistence <> 't'
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                                                    AND d.objid = c.oid AND d.deptype = 'e')),
     usual AS (
        SELECT DISTINCT ON (nspname) nspname, relowner
        FROM tables
        GROUP BY nspname, relowner
        ORDER BY nspname, count(*) DESC,
                 relowner = (SELECT datdba FROM pg_database WHERE datname = current_database()) DESC,
                 relowner)
SELECT t.nspname || '.' || t.relname AS target,
       format('belongs to role %I, most of schema %I to %I',
              pg_get_userbyid(t.relowner), t.nspname, pg_get_userbyid(u.relowner)) AS message
FROM tables t
JOIN usual u ON u.nspname = t.nspname AND u.relowner <> t.relowner
ORDER BY 1;
