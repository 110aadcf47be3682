-- Security labels of a database. $1: its oid.
SELECT provider, label
FROM pg_shseclabel
WHERE objoid = $1::oid AND classoid = 'pg_database'::regclass
ORDER BY provider COLLATE "C", label COLLATE "C"
