-- What decides whether a restore in place can be one transaction here.
SELECT current_setting('max_locks_per_transaction')::bigint
       * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint) AS lock_table,
       (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects,
       (SELECT string_agg(quote_ident(subname), ', ' ORDER BY subname) FROM pg_subscription s
        JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()) AS subscriptions
