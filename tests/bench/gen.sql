-- The database of the benchmarks, about 1.4 GB at scale 1 (psql -v scale=0.1 makes a tenth): a shop
-- with one big wide table, a long narrow one and a medium one; keys, indexes, JSON, text, nulls.
-- Keys and indexes come last, because that is faster.
\if :{?scale}
\else
	\set scale 1
\endif
SET synchronous_commit = off;
SELECT setseed(0.42);

CREATE TABLE customer (
	id         bigserial,
	email      text NOT NULL,
	name       text NOT NULL,
	created_at timestamptz NOT NULL,
	meta       jsonb NOT NULL
);
INSERT INTO customer (email, name, created_at, meta)
SELECT 'user' || i || '@example.com',
       md5(i::text),
       timestamptz '2026-01-01' - random() * interval '900 days',
       jsonb_build_object('plan', (ARRAY['free', 'pro', 'team'])[1 + i % 3],
                          'n', i,
                          'tags', ARRAY['a', 'b', md5((i % 1000)::text)])
FROM generate_series(1, (500000 * :scale)::int) AS i;

CREATE TABLE "order" (
	id          uuid DEFAULT gen_random_uuid(),
	customer_id bigint NOT NULL,
	status      text NOT NULL,
	total       numeric(12, 2) NOT NULL,
	note        text,
	placed_at   timestamptz NOT NULL,
	payload     jsonb
);
INSERT INTO "order" (customer_id, status, total, note, placed_at, payload)
SELECT 1 + (random() * (500000 * :scale - 1))::int,
       (ARRAY['new', 'paid', 'shipped', 'void'])[1 + i % 4],
       (random() * 1000)::numeric(12, 2),
       CASE WHEN i % 3 = 0 THEN repeat(md5(i::text) || ' lorem ipsum dolor ', 2) END,
       timestamptz '2026-01-01' - random() * interval '900 days',
       jsonb_build_object('items', jsonb_build_array(
                              jsonb_build_object('sku', i % 5000, 'qty', i % 7),
                              jsonb_build_object('sku', i % 777, 'qty', i % 3)),
                          'ip', '10.0.' || (i % 255) || '.' || (i % 250))
FROM generate_series(1, (3000000 * :scale)::int) AS i;

CREATE TABLE event (
	id   bigserial,
	kind int NOT NULL,
	v    double precision,
	at   timestamptz NOT NULL
);
INSERT INTO event (kind, v, at)
SELECT i % 50, random(), timestamptz '2026-01-01' - random() * interval '90 days'
FROM generate_series(1, (4000000 * :scale)::int) AS i;

SET maintenance_work_mem = '512MB';
ALTER TABLE customer ADD PRIMARY KEY (id), ADD UNIQUE (email);
ALTER TABLE "order" ADD PRIMARY KEY (id);
CREATE INDEX ON "order" (customer_id);
CREATE INDEX ON "order" (placed_at);
ALTER TABLE "order" ADD FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE event ADD PRIMARY KEY (id);
VACUUM ANALYZE;
