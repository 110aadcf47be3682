-- The session with the lock of a run ($1, what its application name begins with), as long as the
-- server has it.
SELECT s.pid FROM pg_stat_get_activity(NULL) s WHERE starts_with(s.application_name, $1)
