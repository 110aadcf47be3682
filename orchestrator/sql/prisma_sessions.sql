-- The sessions of this run's Prisma ($2 = application_name) in live ($1).
SELECT pid FROM pg_stat_activity
 WHERE datname = $1 AND application_name = $2 AND pid <> pg_backend_pid();
