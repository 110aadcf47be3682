#!/usr/bin/env python3
"""What `make bench` measures; tests/bench/run starts it beside a server of its own.

Each part makes its databases, runs the contestants in turn and states its targets. Times are of
whole commands, wall clock; the files of the round before are removed and disks are synced before
each, which is not timed. Results of restores are counted.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import outage
import page
from measure import Bench, Failed, Series, peak_of, say

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MIGSAFE = os.environ.get("TEST_MIGSAFE", os.path.join(ROOT, "build/release/migsafe"))
SCALE = float(os.environ.get("SCALE", "1"))
PARTS = ["dump", "restore", "big", "data", "swap", "outage", "memory", "tables"]
CODECS = ["gzip:1", "zstd:1"]
MIB = 1 << 20


def has(program):
    return shutil.which(program) is not None


def fill(b, database, scale):
    say(f"making database {database}, scale {scale:g}")
    b.sh(f"psql -Xq -v ON_ERROR_STOP=1 -v scale={scale} -f {HERE}/gen.sql {database}")


def generate(b, database, scale):
    b.drop(database)
    b.sh(f"createdb {database}")
    fill(b, database, scale)


def need(b, database, scale):
    if b.sql("postgres", f"SELECT count(*) FROM pg_database WHERE datname = '{database}'") == "0":
        generate(b, database, scale)


def migsafe(words, database):
    return f"DATABASE_URL={url(database)} migsafe {words}"


def url(database):
    host = os.environ["TEST_PGHOST"].replace("/", "%2F")
    return f"'postgresql://postgres@localhost/{database}?host={host}'"


def backup(s, name, words, database, clear=None):
    """A contestant whose backups are gone before each round; the last ones stay."""
    folder = name.replace(" ", "-").replace(":", "").replace(",", "")
    clear = clear or s.bench.fresh_folder
    s.add(name, migsafe(f"backup {words} --backup-dir {folder} >{folder}.id", database),
          before=lambda: clear(folder), shown=f"migsafe backup {words}")
    return folder


def backup_once(b, words, database, folder):
    b.fresh_folder(folder)
    out = b.sh(migsafe(f"backup {words} --json --backup-dir {folder}", database))
    return json.loads(out)["backups"][0]["id"]


def rows(b, database):
    tables = b.sql(database, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1")
    return {t: b.sql(database, f'SELECT count(*) FROM "{t}"') for t in tables.splitlines()}


def copies(sessions):
    """Server-side COPY in sessions at the same time."""
    lines = ["psql -Xq -v ON_ERROR_STOP=1 app " + " ".join(f"-c 'COPY {t} TO $$/dev/null$$'" for t in session)
             for session in sessions]
    # By their ids: one that has ended before is no job any more for "wait -n".
    return "".join(f"{line} & pid{i}=$!; " for i, line in enumerate(lines)) + \
        " && ".join(f"wait $pid{i}" for i in range(len(lines)))


def part_dump(b):
    need(b, "app", SCALE)
    s = Series(b, "dump")
    tables = ['"order"', "event", "customer"]
    s.add("COPY TO /dev/null", copies([tables[:1], tables[1:]]),
          shown="COPY each table TO '/dev/null', two sessions, the largest table in one of them")
    half = {t: int(b.sql("app", f"SELECT pg_relation_size('{t}') / 8192 / 2")) for t in tables}
    s.add("COPY TO /dev/null, halves",
          copies([[f"(SELECT * FROM {t} WHERE ctid {side} $$({half[t]},0)$$::tid)" for t in tables] for side in ("<", ">=")]),
          shown="COPY (SELECT * FROM each table WHERE ctid ...) TO '/dev/null', two sessions, a half of each table in each")
    s.add("pg_dump | gzip", "pg_dump app | gzip >app.sql.gz")
    if has("pigz"):
        s.add("pg_dump | pigz", "pg_dump app | pigz >app.pigz.sql.gz")
    s.add("pg_dump -Fd -j2 -Z1", "pg_dump -Fd -j2 -Z1 -f app.dir app",
          before=lambda: b.fresh_folder("app.dir"))
    for codec in CODECS:
        backup(s, f"full {codec}", f"--kind full --compression {codec}", "app")
        backup(s, f"both {codec}", f"--kind both --compression {codec}", "app")
    b.sh("psql -Xq app -c 'COPY \"order\" TO $$/dev/null$$'")  # into memory, for whoever is first
    s.run()
    for codec, faster, both, limit in (("gzip:1", 4.8, 1.25, 1.8), ("zstd:1", 6, 1.6, 1.4)):
        b.target(f"full backup vs `pg_dump | gzip`, {codec}", s.ratio("pg_dump | gzip", f"full {codec}"), faster)
        b.target(f"full + data backup vs `pg_dump -Fd -j2 -Z1`, {codec}",
                 s.ratio("pg_dump -Fd -j2 -Z1", f"both {codec}"), both)
        b.target(f"full backup vs server-side COPY to /dev/null, {codec}",
                 s.ratio(f"full {codec}", "COPY TO /dev/null"), limit, " times its time", at_most=True)


def restored_like(b, database, want):
    def check():
        got = rows(b, database)
        if got != want:
            raise Failed(f"restored rows differ: {got}, want {want}")
    return check


def restore_contestants(b, s, database, codecs):
    """pg_restore and migsafe, into new databases."""
    want = rows(b, database)
    before, after = (lambda: b.drop("copy")), restored_like(b, "copy", want)
    if not os.path.isdir(os.path.join(b.folder, f"{database}.dir")):
        b.sh(f"pg_dump -Fd -j2 -Z1 -f {database}.dir {database}")
    s.add("pg_restore -Fd -j2", f"createdb copy && pg_restore -Fd -j2 -d copy {database}.dir",
          before, after)
    for codec in codecs:
        name = f"migsafe {codec}"
        folder = f"{database}-{codec.replace(':', '')}"
        try:
            backup_id = backup_once(b, f"--kind full --compression {codec}", database, folder)
        except Failed as e:
            say(f"  {e}")
            b.failures.append(f"{s.title}: backup {codec}")
            continue
        s.add(name, migsafe(f"restore {backup_id} --into copy --backup-dir {folder}", database),
              before, after, shown=f"migsafe restore ID --into copy ({codec})")
    return before, after


def part_restore(b):
    need(b, "app", SCALE)
    s = Series(b, "restore")
    before, after = restore_contestants(b, s, "app", CODECS)
    if not os.path.exists(os.path.join(b.folder, "app.sql.gz")):
        b.sh("pg_dump app | gzip >app.sql.gz")
    s.add("CREATE DATABASE TEMPLATE", "psql -Xq postgres -c 'CREATE DATABASE copy TEMPLATE app'",
          before, after)
    s.add("gunzip | psql", "createdb copy && gunzip -c app.sql.gz | psql -Xq -v ON_ERROR_STOP=1 copy >psql.out",
          before, after)
    s.run()
    b.drop("copy")
    b.target("full restore vs `gunzip | psql`", s.ratio("gunzip | psql", "migsafe gzip:1"), 1.2)
    b.target("full restore vs `pg_restore -Fd -j2`", s.ratio("migsafe gzip:1", "pg_restore -Fd -j2"),
             1.05, " times its time", at_most=True)


def part_big(b):
    need(b, "app", SCALE)
    b.drop("big")
    b.sh("createdb -T app big && psql -Xq -v ON_ERROR_STOP=1 big -c 'DROP TABLE customer CASCADE' -c 'DROP TABLE event' 2>/dev/null")
    s = Series(b, "one big table, dump")
    s.add("pg_dump -Fd -j2 -Z1", "pg_dump -Fd -j2 -Z1 -f big.dir big",
          before=lambda: b.fresh_folder("big.dir"))
    for codec in CODECS:
        backup(s, f"full {codec}", f"--kind full --compression {codec}", "big")
    s.run()
    b.target("one big table alone vs `pg_dump -Fd -j2 -Z1`", s.ratio("pg_dump -Fd -j2 -Z1", "full gzip:1"), 1.5)
    s = Series(b, "one big table, restore")
    restore_contestants(b, s, "big", CODECS[:1])
    s.run()
    b.drop("copy")
    b.drop("big")
    b.target("one big table alone vs `pg_restore -Fd -j2`",
             s.ratio("pg_restore -Fd -j2", "migsafe gzip:1"), 1.2)


def part_data(b):
    """A fifth of the data: INSERT by INSERT takes minutes, but much less would measure what does not
    grow with the data, the emergency backup and ANALYZE."""
    generate(b, "share", SCALE / 5)
    s = Series(b, "data only, a fifth")
    s.add("pg_dump --column-inserts", "pg_dump --data-only --column-inserts share >share.sql")
    folder = backup(s, "data gzip:1", "--kind data --compression gzip:1", "share")
    s.run()
    with open(os.path.join(b.folder, f"{folder}.id")) as f:
        backup_id = f.read().split()[0]
    want = rows(b, "share")
    s = Series(b, "restore of data, a fifth")

    def empty():
        b.drop("copy")
        b.sh("createdb copy && pg_dump --schema-only share | psql -Xq -v ON_ERROR_STOP=1 copy >psql.out")
    s.add("psql < column-inserts", "psql -Xq -v ON_ERROR_STOP=1 -f share.sql copy >psql.out",
          empty, restored_like(b, "copy", want))
    words = f"restore {backup_id} --yes --other-database --backup-dir {folder}"
    s.add("migsafe", migsafe(words, "copy"), empty, restored_like(b, "copy", want),
          shown="migsafe restore DATA_ID --yes")
    s.add("migsafe, full tables", migsafe(f"{words} --replace", "share"), None,
          restored_like(b, "share", want), shown="migsafe restore DATA_ID --replace --yes")
    s.run()
    b.drop("copy")
    b.target("data-only restore vs `--column-inserts` through psql", s.ratio("psql < column-inserts", "migsafe"), 30)


def part_swap(b):
    """The clients ask all the time; what they see must change under them."""
    generate(b, "live", SCALE / 100)
    b.sql("live", "CREATE TABLE me AS SELECT 'a' AS name; GRANT SELECT ON me TO PUBLIC")
    blocked, longest = [], []
    backup_id = backup_once(b, "--kind full", "live", "live")
    for _ in range(max(b.rounds, 3)):
        b.sql("live", "UPDATE me SET name = 'b'")
        clients = subprocess.Popen([os.path.join(ROOT, "tests/pg/swap_clients.py"), os.environ["TEST_PGHOST"],
                                    os.environ["TEST_PGPORT"], "postgres", "live", "8"],
                                   stdout=subprocess.PIPE, text=True)
        try:
            out = b.sh(migsafe(f"restore {backup_id} --yes --json --backup-dir live", "live"))
            seen = json.loads(clients.communicate()[0])
        finally:
            clients.kill()
            clients.wait()
        if set(seen["seen"]) != {"a", "b"}:
            raise Failed(f"the clients were not there when it was swapped: they saw {seen['seen']}")
        blocked.append(json.loads(out)["blocked_ms"])
        longest.append(seen["longest_connect_ms"])
        say(f"  switch-over: {blocked[-1]} ms; longest connect of a client {longest[-1]} ms; refused: {seen['refused']}")
        for name in b.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'live\\_\\_%'").split():
            b.drop(name)
    b.drop("live")
    b.notes.append(f"Switch-over with {seen['clients']} clients: nobody could connect for {', '.join(map(str, blocked))} ms; "
                   f"the longest connect of a client took {max(longest)} ms.")
    b.target("switch-over (time in which nobody can connect), the longest", max(blocked), 200, " ms", at_most=True)


def part_outage(b):
    outage.measure(b, lambda database: fill(b, database, SCALE), url)


def jobs():
    return min(os.cpu_count() or 1, 8)


def peak(b, what, database, words):
    env = dict(b.env, DATABASE_URL=url(database).strip("'"))
    bytes_used = peak_of(["migsafe"] + words, b.folder, env)
    b.memory.append({"what": what, "bytes": bytes_used})
    say(f"  memory: {what}: {bytes_used / MIB:.1f} MiB")
    return bytes_used


def peak_both_ways(b, what, database):
    b.fresh_folder("memory")
    taken = peak(b, f"backup, {what}", database, ["backup", "--backup-dir", "memory"])
    backup_id = next(i for i in sorted(os.listdir(os.path.join(b.folder, "memory"))) if i.endswith("full"))
    b.drop("copy")
    given = peak(b, f"restore, {what}", database, ["restore", backup_id, "--into", "copy", "--backup-dir", "memory"])
    b.drop("copy")
    return max(taken, given)


def part_memory(b):
    limit = 64 + 8 * jobs()
    need(b, "app", SCALE)
    generate(b, "small", SCALE / 20)
    b.drop("narrow")
    b.sh("createdb narrow")
    b.sql("narrow", f"CREATE TABLE n AS SELECT i FROM generate_series(1, {int(10000000 * SCALE)}) AS i")
    b.drop("wide")
    b.sh("createdb wide")
    b.sql("wide", "CREATE TABLE w (id int, t text); ALTER TABLE w ALTER t SET STORAGE EXTERNAL;"
                  "INSERT INTO w SELECT 1, left(string_agg(md5(i::text), ''), 100000000) FROM generate_series(1, 3125001) AS i")
    most = max(peak_both_ways(b, "a twentieth of it", "small"), peak_both_ways(b, "all of it", "app"),
               peak_both_ways(b, f"{int(10 * SCALE)} million rows", "narrow"))
    b.target(f"memory, {jobs()} jobs", most / MIB, limit, " MiB", at_most=True)
    wide = None
    try:
        wide = peak_both_ways(b, "a value of 100 MB", "wide")
    except Failed as e:
        say(f"  {e}")
    b.target("a value of 100 MB: works, with", wide and wide / MIB, 1024, " MiB", at_most=True)
    for name in ("small", "narrow", "wide"):
        b.drop(name)


def part_tables(b):
    for name, count in (("many", 5000), ("half", 2500)):
        b.drop(name)
        b.sh(f"createdb {name}")
        say(f"making database {name}, {count} tables")
        for first in range(1, count + 1, 500):
            b.sql(name, f"""DO $$ BEGIN FOR i IN {first}..{first + 499} LOOP
                EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now())', i);
                IF i % 3 = 0 THEN EXECUTE format('INSERT INTO t%s VALUES (1, ''one''), (2, ''two'')', i); END IF;
                END LOOP; END $$""")
        b.sql(name, "VACUUM ANALYZE")
    s = Series(b, "5,000 tables")
    s.add("pg_dump -Fd -j2 -Z1", "pg_dump -Fd -j2 -Z1 -f many.dir many", before=lambda: b.aside("many.dir"))
    backup(s, "full gzip:1", "--kind full --compression gzip:1", "many", b.aside)
    backup(s, "2,500 tables: full gzip:1", "--kind full --compression gzip:1", "half", b.aside)
    s.run()
    b.forget_aside()
    b.target("5,000 tables vs `pg_dump -Fd -j2 -Z1`", s.ratio("pg_dump -Fd -j2 -Z1", "full gzip:1"), 1)
    b.target("5,000 tables vs 2,500", s.ratio("full gzip:1", "2,500 tables: full gzip:1"), 2.4, " times its time", at_most=True)
    b.drop("many")
    b.drop("half")


def chosen_parts():
    words = os.environ.get("BENCH_PARTS", ",".join(PARTS)).replace(",", " ").split()
    for word in words:
        if word not in PARTS:
            sys.exit(f"bench: there is no part \"{word}\": {', '.join(PARTS)}")
    return words


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parts, rounds = chosen_parts(), int(os.environ.get("BENCH_ROUNDS", "3"))
    folder = tempfile.mkdtemp(prefix="ms-bench.", dir=os.environ.get("BENCH_DIR"))
    env = dict(os.environ, PGHOST=os.environ["TEST_PGHOST"], PGPORT=os.environ["TEST_PGPORT"],
               PGUSER="postgres", LC_ALL="C.UTF-8",
               PATH=f"{os.path.dirname(MIGSAFE)}:{os.environ['TEST_PGBIN']}:{os.environ['PATH']}")
    b = Bench(folder, env, rounds)
    try:
        for part in parts:
            say(f"part {part}")
            try:
                globals()[f"part_{part}"](b)
            except Failed as e:
                say(f"part {part} failed: {e}")
                b.failures.append(f"part {part}")
        text = page.of(b, SCALE, parts, MIGSAFE)
        print(text)
        out = os.environ.get("BENCH_OUT")
        if not out and parts == PARTS and SCALE >= 1 and not b.failures:
            out = os.path.join(ROOT, "docs/BENCHMARKS.md")
        if out:
            with open(out, "w") as f:
                f.write(text)
            say(f"wrote {out}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if os.environ.get("BENCH_STRICT") == "1" and (b.failures or not all(t["met"] for t in b.targets)):
        sys.exit(1)


main()
