-- One migsafe at a time changes the fence of database $1: held to the end of the transaction, which
-- is some milliseconds.
SELECT pg_advisory_xact_lock(('x' || substr(md5('migsafe fence ' || $1::text), 1, 16))::bit(64)::bigint)
