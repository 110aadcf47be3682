-- The labels of all enums.
SELECT enumtypid::text AS type, enumlabel AS label FROM pg_enum ORDER BY enumtypid::text COLLATE "C", enumsortorder
