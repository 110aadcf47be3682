-- What the present role may do with the database $1: the rights that a rollback needs.
-- One row; "owner" and "owns" are NULL when there is no such database.
SELECT current_user AS role,
       r.rolsuper AS superuser,
       r.rolcreatedb AS createdb,
       pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS may_signal,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS may_see,
       pg_get_userbyid(d.datdba) AS owner,
       pg_has_role(current_user, d.datdba, 'USAGE') AS owns
  FROM pg_roles r
  LEFT JOIN pg_database d ON d.datname = $1
 WHERE r.rolname = current_user
