-- The session that holds the lock sits idle for as long as the run lasts.
SET statement_timeout = 0;
SET lock_timeout = 0;
SELECT pg_catalog.set_config(name, '0', false)
  FROM pg_catalog.pg_settings
 WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout');
