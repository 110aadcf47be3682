-- The key of migsafe's advisory lock for one live database ($1): 63 bits of a hash, never Prisma's 72707369.
SELECT ('x' || substr(md5('migsafe:' || $1::text), 1, 16))::bit(64)::bigint AS key;
