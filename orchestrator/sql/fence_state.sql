-- Comment and own default_transaction_read_only of database $1, the server's clock now, and in $2 ms.
-- set_by: the transaction that wrote the settings last.  Stamps are of one form, so that they compare as texts.
SELECT d.oid::text AS oid, shobj_description(d.oid, 'pg_database') AS comment,
       (SELECT substr(item, strpos(item, '=') + 1)
          FROM pg_db_role_setting s, unnest(s.setconfig) AS item
         WHERE s.setdatabase = d.oid AND s.setrole = 0
           AND starts_with(item, 'default_transaction_read_only=')) AS setting,
       (SELECT s.xmin::text FROM pg_db_role_setting s
         WHERE s.setdatabase = d.oid AND s.setrole = 0) AS set_by,
       to_char(t.now AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS now,
       to_char((t.now + $2::bigint * interval '1 ms') AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS until
FROM pg_database d, (SELECT clock_timestamp() AS now) t
WHERE d.datname = $1
