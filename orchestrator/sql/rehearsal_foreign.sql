-- Foreign tables: what is written to them is written elsewhere.
SELECT c.relname AS name FROM pg_class c WHERE c.relkind = 'f' ORDER BY c.relname
