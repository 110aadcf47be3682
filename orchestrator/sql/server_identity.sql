-- Which server this is: made by initdb, the same in copies of its files. Names and oids repeat on other servers.
SELECT system_identifier FROM pg_catalog.pg_control_system()
