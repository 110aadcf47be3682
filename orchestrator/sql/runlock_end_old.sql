-- Ends the other sessions called $1: those of ours whose connection is lost, which the server has not noticed yet.
SELECT pg_catalog.pg_terminate_backend(pid)
  FROM pg_catalog.pg_stat_activity
 WHERE application_name = $1 AND pid <> pg_catalog.pg_backend_pid() AND usename = current_user;
