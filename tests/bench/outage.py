"""A deploy that fails half way, and for how long the application had no service by it: migsafe's ways
back, and a dump read back by psql while the application stands still."""
import json
import os
import shutil
import signal
import statistics
import subprocess
import time

from measure import Failed, say

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCHEMA = """generator client {
  provider   = "prisma-client-js"
  engineType = "client"
}
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
"""
INIT = "CREATE TABLE ping (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());"
# Passes on every copy and fails in live, after a change to many rows: what a rehearsal cannot foresee.
FAILING = """ALTER TABLE customer ADD COLUMN plan text;
UPDATE customer SET plan = meta ->> 'plan';
DO $$ BEGIN
    IF current_database() NOT LIKE '%\\_\\_migsafe\\_%' THEN RAISE 'only in live'; END IF;
END $$;
"""
WAYS = [
    ("restore beside, swap; no fence", "--rehearse never --fence off"),
    ("restore beside, swap; fence", "--rehearse never --fence on"),
    ("standby, swap; no fence", "--rehearse always --fence off"),
    ("standby, swap; fence", "--rehearse always --fence on"),
]


def write(folder, path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def make_project(b):
    """The packages of the fixture application, with a history of its own."""
    folder = os.path.join(b.folder, "project")
    packages = b.sh(f"{ROOT}/scripts/node.sh npm-cache {ROOT}/fixtures/app").strip()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in ("package.json", "prisma.config.ts"):
        shutil.copy(os.path.join(ROOT, "fixtures/app", name), folder)
    os.symlink(os.path.join(packages, "node_modules"), os.path.join(folder, "node_modules"))
    write(folder, "prisma/schema.prisma", SCHEMA)
    write(folder, "prisma/migrations/20240101000000_init/migration.sql", INIT)
    return folder


class Client:
    """outage_client.py for as long as something is done."""

    def __init__(self, database):
        self.p = subprocess.Popen([os.path.join(HERE, "outage_client.py"), os.environ["TEST_PGHOST"],
                                   os.environ["TEST_PGPORT"], "postgres", database], stdout=subprocess.PIPE, text=True)
        time.sleep(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()

    def stand_still(self, still):
        self.p.send_signal(signal.SIGSTOP if still else signal.SIGCONT)

    def gaps(self):
        time.sleep(1)
        self.p.terminate()
        seen = json.loads(self.p.communicate()[0])
        if not all(kind["answers"] for kind in seen.values()):
            raise Failed(f"the clients had no answer at all: {seen}")
        return seen["write"]["longest_ms"], seen["read"]["longest_ms"]


def fresh(b):
    """A database like the generated one, and none beside it."""
    for name in b.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'outage%'").split():
        b.drop(name)
    b.sh("createdb -T shop outage")
    b.fresh_folder("outage")
    b.sql("postgres", "CHECKPOINT")


def by_migsafe(b, options, url):
    with Client("outage") as client:
        began = time.monotonic()
        b.sh(f"cd project && DATABASE_URL={url('outage')} MIGRATION_SCRIPT=split migsafe deploy --attempts 1 "
             f"--backup-dir ../outage {options} >../deploy.log 2>&1; status=$?; [ $status = 20 ] || {{ tail -n 5 ../deploy.log >&2; exit 1; }}")
        return time.monotonic() - began, *client.gaps()


def by_psql(b, url):
    """The application is stopped once the migration has failed, and started when all is read back."""
    with Client("outage") as client:
        began = time.monotonic()
        b.sh("pg_dump outage | gzip >outage.sql.gz")
        b.sh(f"cd project && ! DATABASE_URL={url('outage')} MIGRATION_SCRIPT=split CHECKPOINT_DISABLE=1 "
             "node node_modules/prisma/build/index.js migrate deploy >../deploy.log 2>&1")
        client.stand_still(True)
        b.sh("dropdb --force outage && createdb outage && gunzip -c outage.sql.gz | psql -Xq -v ON_ERROR_STOP=1 outage >psql.out")
        client.stand_still(False)
        return time.monotonic() - began, *client.gaps()


def run_ways(b, url):
    contestants = [(name, f"migsafe deploy {options}", lambda options=options: by_migsafe(b, options, url)) for name, options in WAYS]
    contestants.append(("`gunzip \\| psql`, application stopped", "pg_dump, prisma migrate deploy, dropdb, createdb, psql", lambda: by_psql(b, url)))
    for name, shown, way in contestants:
        figures = []
        for _ in range(min(b.rounds, 2)):
            fresh(b)
            try:
                figures.append(way())
            except Failed as e:
                say(f"  {name} failed: {e}")
                b.failures.append(f"outage: {name}")
                break
            say("  outage: {}: whole {:.1f} s, no write {} ms, no service {} ms".format(name, *figures[-1]))
        if figures:
            whole, no_write, none = (statistics.median(column) for column in zip(*figures))
            b.outages.append({"name": name, "shown": shown, "whole": whole, "no_write": no_write, "none": none})


def measure(b, fill, url):
    b.env["PATH"] = b.sh(f"{ROOT}/scripts/node.sh bin").strip() + ":" + b.env["PATH"]
    folder = make_project(b)
    b.drop("shop")
    b.sh("createdb shop")
    b.sh(f"cd project && DATABASE_URL={url('shop')} CHECKPOINT_DISABLE=1 node node_modules/prisma/build/index.js migrate deploy")
    fill("shop")
    write(folder, "prisma/migrations/20270101000000_fails/migration.sql", FAILING)
    run_ways(b, url)
    for name in b.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'outage%' OR datname = 'shop'").split():
        b.drop(name)
    by_name = {o["name"]: o for o in b.outages}
    for name, _ in WAYS[2:]:
        b.target(f"failing deploy, {name}: no service at all", by_name.get(name, {}).get("none"), 1000, " ms", at_most=True)
