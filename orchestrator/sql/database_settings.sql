-- ALTER DATABASE ... SET (role is NULL) and ALTER ROLE ... IN DATABASE ... SET. $1: the database's oid.
SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END AS role, item AS setting
FROM pg_db_role_setting s, unnest(s.setconfig) AS item
WHERE s.setdatabase = $1::oid
ORDER BY 1 COLLATE "C", 2 COLLATE "C"
