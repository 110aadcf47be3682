-- A table that does not have its name any more: locks keep it from being renamed itself, but not its schema.
-- $1: oids, $2: names as the snapshot has them, quoted.  Names are looked up as they are now, in no snapshot.
SELECT x.name
FROM unnest($1::oid[], $2::text[]) AS x (oid, name)
WHERE to_regclass(x.name) IS DISTINCT FROM x.oid
LIMIT 1
