-- ALTER DATABASE ... SET (role is NULL) and ALTER ROLE ... IN DATABASE ... SET. $1: the database's oid.
SELECT role, setting
FROM (SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END AS role, item AS setting
      FROM pg_db_role_setting s, unnest(s.setconfig) AS item
      WHERE s.setdatabase = $1::oid) AS found
ORDER BY role COLLATE "C", setting COLLATE "C"
