#!/usr/bin/env bash
# Databases of other encodings and locales come back: Latin 1, SQL_ASCII with bytes that are no UTF-8, ICU.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/roundtrip/roundtrip.sh
. "$ROOT/tests/roundtrip/roundtrip.sh"

database() { # NAME OPTION...: from template0
	sql postgres "CREATE DATABASE \"$(db_name "$1")\" TEMPLATE template0 ${*:2}" || bail "database $1 could not be created"
}

database latin "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
sql latin <<'END' || bail 'latin'
CREATE TABLE "Größe" ("Straße" text PRIMARY KEY, n int DEFAULT 1);
INSERT INTO "Größe" SELECT chr(i), i FROM generate_series(1, 255) i;
INSERT INTO "Größe" SELECT repeat('ÿé' || i, 200), i FROM generate_series(300, 900) i;
CREATE TYPE "Ünum" AS ENUM ('ä', 'ß');
CREATE TABLE t ("ü" "Ünum");
INSERT INTO t VALUES ('ß'), ('ä');
COMMENT ON TABLE t IS 'Ü';
END
roundtrip_source latin
roundtrip latin 'split' MIGSAFE_JOBS=4 MIGSAFE_SPLIT_SIZE=64kB

# Values in any encoding, in one database, as old databases have them.
database ascii "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
sql ascii <<'END' || bail 'ascii'
CREATE TABLE bytes (id int PRIMARY KEY, t text);
INSERT INTO bytes SELECT 1, string_agg(chr(i), '' ORDER BY i) FROM generate_series(1, 127) i;
INSERT INTO bytes VALUES (2, E'latin \xe9\xff'), (3, E'utf-8 \xc3\xa9'), (4, E'\xfe\xff\x80'), (5, E'\xe9\t\xe9\n\\.\xe9');
INSERT INTO bytes SELECT i, repeat(E'\xe9', 500) FROM generate_series(100, 700) i;
END
roundtrip_source ascii
roundtrip ascii 'split' MIGSAFE_JOBS=4 MIGSAFE_SPLIT_SIZE=64kB

database icu "LOCALE_PROVIDER icu ICU_LOCALE 'sv-u-co-trad-kn' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
sql icu <<'END' || bail 'icu'
CREATE TABLE words (w text PRIMARY KEY);
INSERT INTO words SELECT w || i FROM unnest(ARRAY['a', 'å', 'ä', 'ö', 'v', 'w', 'z']) w, generate_series(1, 30) i;
CREATE TABLE by_word (w text) PARTITION BY RANGE (w);
CREATE TABLE by_word_1 PARTITION OF by_word FOR VALUES FROM (MINVALUE) TO ('z');
CREATE TABLE by_word_2 PARTITION OF by_word FOR VALUES FROM ('z') TO (MAXVALUE);
INSERT INTO by_word SELECT w FROM words;
END
roundtrip_source icu
roundtrip icu 'as it comes'
is "$(sql icu 'SELECT count(*) FROM by_word_2')" 120 'letters behind z are in the second partition, as this locale has them'
done_testing
