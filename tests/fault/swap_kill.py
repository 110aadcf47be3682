#!/usr/bin/env python3
"""Runs `migsafe restore` and kills it with SIGKILL some time after its swap has begun.

usage: swap_kill.py DELAY-MS JOURNALS-FOLDER COMMAND [ARGUMENT...]

Waits for the record "swap begin" of the new run's journal, then DELAY-MS more. Prints the id of the
run and whether it was still there to be killed ("killed" or "ended").
"""
import os
import signal
import subprocess
import sys
import time

delay, folder, command = float(sys.argv[1]) / 1000, sys.argv[2], sys.argv[3:]
before = set(os.listdir(folder)) if os.path.isdir(folder) else set()
child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def swapping():
    for run in (set(os.listdir(folder)) if os.path.isdir(folder) else set()) - before:
        try:
            with open(os.path.join(folder, run, "journal.jsonl"), encoding="utf-8") as journal:
                if '"step":"swap","event":"begin"' in journal.read():
                    return run
        except FileNotFoundError:
            pass
    return None


limit = time.monotonic() + 60
run = None
while run is None and time.monotonic() < limit and child.poll() is None:
    run = swapping()
    time.sleep(0.0005)
run = run or swapping()  # it was too fast for us
time.sleep(delay)
state = "killed" if child.poll() is None else "ended"
child.send_signal(signal.SIGKILL)
child.wait()
print(run or "none", state)
