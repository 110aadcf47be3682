-- Where a restore of data works.
SELECT current_database() AS name, d.oid::text AS oid, current_user AS role,
       current_setting('TimeZone') AS zone, current_setting('server_encoding') AS encoding
FROM pg_database d WHERE d.datname = current_database()
