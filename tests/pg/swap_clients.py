#!/usr/bin/env python3
"""Ten clients of a database, for the tests of the swap: what became of each of their connections.

usage: swap_clients.py SOCKET-FOLDER PORT ROLE DATABASE SECONDS [READY]

Four keep their session and ask every 2 ms; six connect anew for every question, at once when they
were ended. All ask `SELECT name FROM public.me`, until SIGTERM comes or SECONDS are over, and then
once more. The file READY is made when each has had an answer. Prints one JSON document:
  seen      answers by value, in the order of their first appearance
  back      answers of an older value after a newer one, in the same client
  ended     sessions ended, by the server's words
  refused   connections refused, by the server's words
  last      what each client saw last
  longest_connect_ms, clients
"""
import json
import os
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
from wire import Gone, answer_to, connect  # noqa: E402

FOLDER, PORT, ROLE, DATABASE, SECONDS, READY = (sys.argv[1:] + [os.devnull])[:6]
PERSISTENT, RECONNECTING = 4, 6
LAST_S = 30  # for the last answer of each

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
lock = threading.Lock()
answered = threading.Barrier(PERSISTENT + RECONNECTING, action=lambda: open(READY, "w").close())
result = {"seen": {}, "back": 0, "ended": {}, "refused": {}, "last": [], "longest_connect_ms": 0,
          "clients": PERSISTENT + RECONNECTING}


def count(kind, word):
    with lock:
        result[kind][word] = result[kind].get(word, 0) + 1


def connect_counted():
    began = time.monotonic()
    try:
        s = connect(FOLDER, PORT, ROLE, DATABASE)
    except (Gone, OSError) as e:
        count("refused", str(e))
        return None
    with lock:
        took = round((time.monotonic() - began) * 1000)
        result["longest_connect_ms"] = max(result["longest_connect_ms"], took)
    return s


def ask(s):
    return answer_to(s, "SELECT name FROM public.me")[0]


def client(persistent):
    s, order, last = None, [], None
    while last is None or time.monotonic() < last:
        if stop.is_set():
            last = last or time.monotonic() + LAST_S
        s = s or connect_counted()
        if s is None:
            continue
        try:
            name = ask(s)
        except (Gone, OSError) as e:
            # Asking a session that has just been ended may find its socket closed instead.
            count("ended", "connection closed" if isinstance(e, OSError) else str(e))
            s = None
            continue
        count("seen", name)
        with lock:
            result["back"] += name in order[:-1]
        if not order:
            answered.wait()
        if name not in order:
            order.append(name)
        if last is not None:
            break
        if persistent:
            time.sleep(0.002)
        else:
            s.close()
            s = None
    with lock:
        result["last"].append(order[-1] if order else None)


threads = [threading.Thread(target=client, args=(i < PERSISTENT,))
           for i in range(PERSISTENT + RECONNECTING)]
for t in threads:
    t.start()
stop.wait(float(SECONDS))
stop.set()
for t in threads:
    t.join()
json.dump(result, sys.stdout)
print()
