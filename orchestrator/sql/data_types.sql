-- Which of the types that a backup names ($1) are there, and of what kind.  An enum's labels may be
-- others now.
SELECT t.name, y.typcategory::text AS category, format_type(y.oid, -1) AS base, y.typtype = 'e' AS enum
FROM unnest($1::text[]) AS t (name)
JOIN pg_type y ON y.oid = to_regtype(t.name)
