-- Where the files of database $1 are, when this role may know; whether the server says that this
-- session comes from its own machine.
SELECT CASE WHEN t.oid IS NOT NULL AND pg_tablespace_location(t.oid) <> '' THEN pg_tablespace_location(t.oid)
            WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END AS folder,
       inet_server_addr() IS NULL OR host(inet_server_addr()) IN ('127.0.0.1', '::1') AS local
FROM pg_database d
LEFT JOIN pg_tablespace t ON t.oid = d.dattablespace
WHERE d.datname = $1
