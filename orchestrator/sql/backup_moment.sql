-- The snapshot of this transaction, given away, and where it lies in time; how its money is written.
SELECT pg_export_snapshot() AS snapshot,
       pg_snapshot_xmax(pg_current_snapshot())::text AS xmax,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END
           AS lsn,
       current_setting('lc_monetary') AS lc_monetary
