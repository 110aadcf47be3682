"""The figures as a page: docs/BENCHMARKS.md."""
import datetime
import os
import re
import subprocess


def first_line(*arguments):
    try:
        p = subprocess.run(arguments, capture_output=True, text=True, check=False)
    except OSError:
        return f"{arguments[0]}: not here"
    return ((p.stdout or p.stderr).splitlines() or ["?"])[0].strip()


def machine():
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*:\s*(.*)", f.read())
    with open("/proc/meminfo") as f:
        memory = int(re.search(r"MemTotal:\s+(\d+)", f.read()).group(1)) // (1 << 20)
    load = os.getloadavg()[2]
    return (f"{os.cpu_count()} processors ({model.group(1) if model else os.uname().machine}), {memory} GB of memory, "
            f"Linux {os.uname().release}; load at the end {load:.1f}")


def versions(b, program):
    bin_folder = os.environ["TEST_PGBIN"]
    return [
        first_line(program, "--version"),
        "server: PostgreSQL " + b.sql("postgres", "SHOW server_version"),
        first_line(f"{bin_folder}/pg_dump", "--version"),
        first_line("gzip", "--version"),
        first_line("pigz", "--version"),
    ]


def seconds(s):
    return "" if s is None else f"{s:.2f} s"


def value_of(t):
    if t["value"] is None:
        return "none"
    digits = 0 if t["unit"].strip() in ("ms", "MiB") else 2
    return f"{t['value']:.{digits}f}{t['unit']}"


def targets(b):
    lines = ["| work | target | reached | |", "|---|---|---|---|"]
    for t in b.targets:
        bound = "at most" if t["at_most"] else "at least"
        lines.append(f"| {t['work'].replace('|', chr(92) + '|')} | {bound} {t['limit']:g}{t['unit']} | {value_of(t)} "
                     f"| {'met' if t['met'] else '**not met**'} |")
    return lines


def series(s):
    lines = [f"### {s.title[0].upper() + s.title[1:]}", "", "| | median | fastest | slowest | processors | command |", "|---|---|---|---|---|---|"]
    for name, c in s.contestants.items():
        times = s.seconds.get(name, [])
        if not times:
            continue
        shown = c["shown"].replace("|", "\\|")
        lines.append(f"| {name.replace('|', chr(92) + '|')} | {seconds(s.median(name))} | {seconds(min(times))} "
                     f"| {seconds(max(times))} | {seconds(s.processors(name))} | `{shown}` |")
    return lines + [""]


def memory(b):
    lines = ["### Memory", "", "The most that migsafe itself had at a time (`VmHWM`); its workers are threads of it.", "",
             "| | |", "|---|---|"]
    return lines + [f"| {m['what']} | {m['bytes'] / (1 << 20):.1f} MiB |" for m in b.memory] + [""]


def outages(b):
    lines = ["### A failing deploy", "",
             "A migration that passes on a copy and fails half way in live, and the way back. A client writes and another reads,",
             "every 5 ms; told is the longest time without an answer to each. With a fence what is written meanwhile is refused,",
             "without one it is accepted, and comes back by `migsafe replay`.", "",
             "| | without write service | without any service | whole | command |", "|---|---|---|---|---|"]
    return lines + [f"| {o['name']} | {o['no_write'] / 1000:.2f} s | {o['none'] / 1000:.2f} s | {o['whole']:.1f} s | `{o['shown']}` |"
                    for o in b.outages] + [""]


def of(b, scale, parts, program):
    lines = [
        "<!-- made by: make bench -->",
        "# Benchmarks",
        "",
        "migsafe beside what people use instead, on one machine, in one run, in turn. Times are of whole commands;",
        "ratios are the median over the rounds, each round by itself. What migsafe does besides is in its times: checksums and",
        "row counts of every table and synced files in a backup; ANALYZE and the comparison with the manifest in a restore.",
        "\"Processors\" is the processor time of client and server together: it tells more than the clock where others use the",
        "machine too. `make bench` runs this anew (`tests/bench/run --help`).",
        "",
        f"- {datetime.date.today().isoformat()}, scale {scale:g}, {b.rounds} rounds, parts: {', '.join(parts)}",
        f"- {machine()}",
        *[f"- {v}" for v in versions(b, program)],
        "- server settings: fsync on, shared_buffers 1GB, max_wal_size 8GB, wal_level replica, maintenance_work_mem 256MB;"
        " client and server share the processors",
        "",
        "## Targets",
        "",
        *targets(b),
        "",
        *[f"{n}\n" for n in b.notes],
        *[f"**Failed: {f}**\n" for f in b.failures],
        "## Figures",
        "",
    ]
    for s in b.series:
        lines += series(s)
    if b.outages:
        lines += outages(b)
    if b.memory:
        lines += memory(b)
    return "\n".join(lines).rstrip("\n") + "\n"
