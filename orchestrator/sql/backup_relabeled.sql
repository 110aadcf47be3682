-- An enum whose values were renamed since the snapshot: values are written as their labels
-- are called now (enum_out looks in no snapshot), the schema as they were called then.
-- The row that we see was replaced then: its xmax is a transaction that had not ended at the snapshot, and has
-- committed now.  (Older ones that left an xmax behind were rolled back.  Of an enum that is gone there are no rows.)
SELECT e.enumtypid::regtype::text AS name
FROM pg_catalog.pg_enum e,
     LATERAL (SELECT txid_snapshot_xmin(txid_current_snapshot()) AS oldest) s,
     LATERAL (SELECT (e.xmax::text::bigint - oldest % 4294967296 + 4294967296) % 4294967296 AS later) x
WHERE e.xmax <> 0 AND later < 2147483648 AND txid_status(oldest + later) = 'committed'
      AND pg_type_is_visible(e.enumtypid) IS NOT NULL
LIMIT 1
