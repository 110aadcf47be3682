#!/usr/bin/env python3
"""Two clients of a database, a reader and a writer: for how long each had no service.

usage: outage_client.py SOCKET-FOLDER PORT ROLE DATABASE

Each asks every 5 ms, and connects anew when it was ended or refused. Until SIGTERM; then prints one
JSON document: for `read` and `write` the longest time between two answers in ms, and their number.
"""
import json
import os
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pg"))
from wire import Gone, answer_to, connect  # noqa: E402

FOLDER, PORT, ROLE, DATABASE = sys.argv[1:5]
ASK = {
    "read": "SELECT id FROM public.customer WHERE id = 1",
    "write": "INSERT INTO public.ping DEFAULT VALUES RETURNING 1",
}
stop = threading.Event()
result = {}


def client(kind):
    session, count, longest, last = None, 0, 0.0, time.monotonic()
    while not stop.is_set():
        try:
            session = session or connect(FOLDER, PORT, ROLE, DATABASE)
            if not answer_to(session, ASK[kind]):
                raise Gone("no row")
            now = time.monotonic()
            longest, last, count = max(longest, now - last), now, count + 1
        except (Gone, OSError):
            session = None
        time.sleep(0.005)
    result[kind] = {"longest_ms": round(max(longest, time.monotonic() - last) * 1000), "answers": count}


signal.signal(signal.SIGTERM, lambda *_: stop.set())
threads = [threading.Thread(target=client, args=(kind,)) for kind in ASK]
for t in threads:
    t.start()
for t in threads:
    while t.is_alive():
        t.join(0.1)
print(json.dumps(result))
