-- The rows of one ledger: FROM its table and ORDER BY are added by the caller, as its schema is a name.
-- Stamps in UTC to the microsecond, so that they compare equal in every session and after a restore.
SELECT id, checksum, migration_name, applied_steps_count,
       left(logs, 8000) AS logs,
       to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS started,
       to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS finished,
       to_char(rolled_back_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS rolled_back
