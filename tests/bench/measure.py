"""Runs commands in turn, and keeps how long each took and how much memory it had."""
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time


def say(text):
    print(text, file=sys.stderr, flush=True)


SLOW_SECONDS, VERY_SLOW_SECONDS = 20, 120


class Failed(Exception):
    pass


def run(command, folder, env):
    """A shell line; what it printed. Its processes end with us."""
    with open(os.path.join(folder, "stderr"), "w+") as err:
        p = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], cwd=folder, env=env,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err,
                             text=True, start_new_session=True)
        try:
            out, _ = p.communicate()
        except BaseException:
            os.killpg(p.pid, signal.SIGTERM)
            p.wait()
            raise
        err.seek(0)
        errors = err.read()
    if p.returncode != 0:
        raise Failed(f"{command}\nstatus {p.returncode}: {errors[-2000:]}")
    return out


def peak_of(arguments, folder, env):
    """Runs one program; the most memory that it itself had at a time, in bytes."""
    with open(os.path.join(folder, "stderr"), "w+") as err:
        p = subprocess.Popen(arguments, cwd=folder, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=err)
        peak = 0
        try:
            while p.poll() is None:
                # A mark of the highest, so the last look misses nothing but what came after it.
                peak = max(peak, high_water(p.pid))
                time.sleep(0.01)
        except BaseException:
            p.terminate()
            p.wait()
            raise
        err.seek(0)
        errors = err.read()
    if p.returncode != 0:
        raise Failed(f"{' '.join(arguments)}\nstatus {p.returncode}: {errors[-2000:]}")
    return peak


def high_water(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            found = re.search(r"^VmHWM:\s+(\d+) kB", f.read(), re.M)
    except OSError:
        return 0
    return int(found.group(1)) * 1024 if found else 0


def wait_for_sessions(postmaster):
    """Until the server has seen that its clients have gone; what it does by itself stays."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        with open(f"/proc/{postmaster}/task/{postmaster}/children") as f:
            titles = [title_of(pid) for pid in f.read().split()]
        # One that has ended and is not yet counted has no title.
        if not any(t == "" or t.startswith("postgres: postgres ") for t in titles):
            return
        time.sleep(0.01)


def title_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as f:
            return f.read()
    except OSError:
        return ""


def processor_seconds(postmaster):
    """Of our children that have ended, and of the server: its own, and its sessions that have ended."""
    wait_for_sessions(postmaster)
    ours = os.times()
    with open(f"/proc/{postmaster}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return ours.children_user + ours.children_system + sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


class Series:
    """Contestants, run in turn: rounds of all of them, each round beginning with another one."""

    def __init__(self, bench, title):
        self.bench, self.title = bench, title
        self.contestants = {}
        self.seconds, self.processor = {}, {}
        bench.series.append(self)

    def add(self, name, command, before=None, after=None, shown=None):
        """before and after are called each time and not timed."""
        self.contestants[name] = {"command": command, "before": before, "after": after,
                                  "shown": shown or command}

    def run(self):
        names = list(self.contestants)
        for r in range(self.bench.rounds):
            turn = r % len(names)
            for name in names[turn:] + names[:turn]:
                if name in self.contestants and not self.is_slow(name):
                    self.run_one(name, r)
        return self

    def is_slow(self, name):
        """Two rounds are enough of what takes long, one of what takes minutes."""
        times = self.seconds.get(name, [])
        return times and min(times) > (SLOW_SECONDS if len(times) >= 2 else VERY_SLOW_SECONDS)

    def run_one(self, name, r):
        c = self.contestants[name]
        if c["before"]:
            c["before"]()
        os.sync()
        used = processor_seconds(self.bench.postmaster)
        began = time.monotonic()
        try:
            self.bench.sh(c["command"])
        except Failed as e:
            # The others are still worth knowing; a target without a figure is not met.
            say(f"  {name} failed: {e}")
            self.bench.failures.append(f"{self.title}: {name}")
            del self.contestants[name]
            self.seconds.pop(name, None)
            return
        took = time.monotonic() - began
        used = processor_seconds(self.bench.postmaster) - used
        self.seconds.setdefault(name, []).append(took)
        self.processor.setdefault(name, []).append(used)
        say(f"  {self.title}, round {r + 1}: {name:32} {took:8.2f} s, processors {used:6.2f} s")
        if c["after"]:
            c["after"]()

    def median(self, name):
        return statistics.median(self.seconds[name]) if self.seconds.get(name) else None

    def processors(self, name):
        return statistics.median(self.processor[name])

    def ratio(self, slow, fast):
        """How many times longer `slow` took: the median of the rounds, each by itself."""
        pairs = list(zip(self.seconds.get(slow, []), self.seconds.get(fast, [])))
        return statistics.median(s / f for s, f in pairs) if pairs else None


class Bench:
    def __init__(self, folder, env, rounds):
        self.folder, self.env, self.rounds = folder, env, rounds
        self.series, self.failures, self.targets, self.notes = [], [], [], []
        self.memory, self.outages = [], []
        with open(os.path.join(env["PGHOST"], "data/postmaster.pid")) as f:
            self.postmaster = int(f.readline())

    def sh(self, command):
        return run(command, self.folder, self.env)

    def sql(self, database, text):
        arguments = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text]
        p = subprocess.run(arguments, env=self.env, capture_output=True, text=True, check=False)
        if p.returncode != 0:
            raise Failed(f"{text}: {p.stderr}")
        return p.stdout.strip()

    def fresh_folder(self, name):
        shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)

    def aside(self, name):
        """As fresh_folder, but what was there stays until forget_aside: ext4 gives no inode out
        anew for a minute, and thousands just freed make whoever creates files next search long."""
        old = os.path.join(self.folder, name)
        os.makedirs(os.path.join(self.folder, "aside"), exist_ok=True)
        if os.path.exists(old):
            os.rename(old, os.path.join(self.folder, "aside", f"{name}.{time.monotonic_ns()}"))

    def forget_aside(self):
        shutil.rmtree(os.path.join(self.folder, "aside"), ignore_errors=True)

    def drop(self, database):
        """And leaves the server with nothing to do."""
        self.sql("postgres", f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        self.sql("postgres", "CHECKPOINT")

    def target(self, work, value, limit, unit=" times faster", at_most=False):
        met = value is not None and (value <= limit if at_most else value >= limit)
        self.targets.append({"work": work, "value": value, "limit": limit, "unit": unit,
                             "at_most": at_most, "met": met})
