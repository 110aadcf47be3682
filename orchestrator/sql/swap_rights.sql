-- What could keep this role from swapping database $1; one row, lists as text or NULL.
-- Sessions of others show role and pid only without pg_read_all_stats: NULLs count as in the way.
WITH live AS (SELECT oid, datname, datdba FROM pg_database WHERE datname = $1::name),
me AS (SELECT rolname, rolsuper, rolsuper OR rolcreatedb AS createdb FROM pg_roles
       WHERE rolname = current_user),
held AS (
    SELECT s.pid, r.rolname, r.rolsuper, s.application_name
    FROM live JOIN pg_stat_activity s ON s.datid = live.oid JOIN pg_roles r ON r.oid = s.usesysid, me
    WHERE s.pid <> pg_backend_pid() AND s.backend_type IS DISTINCT FROM 'autovacuum worker'
      AND NOT me.rolsuper
      AND (r.rolsuper OR NOT (pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))
)
SELECT me.rolname AS role, me.createdb, live.datname = current_database() AS here,
       pg_get_userbyid(live.datdba) AS owner, pg_has_role(live.datdba, 'USAGE') AS owns,
       (SELECT string_agg(gid, ', ' ORDER BY gid) FROM pg_prepared_xacts
        WHERE database = live.datname) AS prepared,
       (SELECT string_agg(slot_name, ', ' ORDER BY slot_name) FROM pg_replication_slots
        WHERE database = live.datname) AS slots,
       (SELECT string_agg(subname, ', ' ORDER BY subname) FROM pg_subscription
        WHERE subdbid = live.oid) AS subscriptions,
       (SELECT bool_or(rolsuper) FROM held) AS held_by_superuser,
       (SELECT string_agg(format('pid %s of role "%s"%s', pid, rolname,
                                 coalesce(' (' || nullif(application_name, '') || ')', '')), ', '
                          ORDER BY pid) FROM held) AS held
FROM live, me
