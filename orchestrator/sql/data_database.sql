-- Where a restore of data works.
SELECT current_database() AS name, d.oid::text AS oid, current_user AS role,
       current_setting('TimeZone') AS zone, current_setting('server_encoding') AS encoding,
       current_setting('max_locks_per_transaction')::bigint
       * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint) AS locks
FROM pg_database d WHERE d.datname = current_database()
