-- Without a ledger, does schema $1 hold a table that Prisma would mind (P3005)?  Plain tables only;
-- those of extensions count too, but for PostGIS' spatial_ref_sys.
SELECT EXISTS (SELECT FROM pg_class c
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relkind = 'r'
                  AND c.relname NOT IN ('_prisma_migrations', 'spatial_ref_sys')) AS found
