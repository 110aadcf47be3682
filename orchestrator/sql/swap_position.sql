-- Which names two databases have now, and whether the third name is taken.
SELECT (SELECT datname FROM pg_database WHERE oid = $1::oid) AS live,
       (SELECT datname FROM pg_database WHERE oid = $2::oid) AS side,
       (SELECT oid FROM pg_database WHERE datname = $3::name) AS kept_oid,
       current_database() AS here
