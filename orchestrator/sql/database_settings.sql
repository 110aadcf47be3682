-- ALTER DATABASE ... SET (role is NULL) and ALTER ROLE ... IN DATABASE ... SET, in the order in which
-- a session applies them. $1: the database's oid.
SELECT r.rolname AS role, item AS setting
FROM pg_db_role_setting s
CROSS JOIN unnest(s.setconfig) WITH ORDINALITY AS list (item, place)
LEFT JOIN pg_roles r ON r.oid = s.setrole
WHERE s.setdatabase = $1::oid
ORDER BY r.rolname COLLATE "C", place
