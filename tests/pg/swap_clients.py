#!/usr/bin/env python3
"""Ten clients of a database, for the tests of the swap: what became of each of their connections.

usage: swap_clients.py SOCKET-FOLDER PORT ROLE DATABASE SECONDS

Four keep their session and ask every 2 ms; six connect anew for every question, at once when they
were ended. All ask `SELECT name FROM public.me`. Speaks the server's protocol itself, because a
process for each connection would be too slow to press. Prints one JSON document:
  seen      answers by value, in the order of their first appearance
  back      answers of an older value after a newer one, in the same client
  ended     sessions ended, by the server's words
  refused   connections refused, by the server's words
  last      what each client saw last
  longest_connect_ms, clients
"""
import json
import socket
import struct
import sys
import threading
import time

FOLDER, PORT, ROLE, DATABASE, SECONDS = sys.argv[1:6]
PERSISTENT, RECONNECTING = 4, 6

stop = time.monotonic() + float(SECONDS)
lock = threading.Lock()
result = {"seen": {}, "back": 0, "ended": {}, "refused": {}, "last": [], "longest_connect_ms": 0,
          "clients": PERSISTENT + RECONNECTING}


class Gone(Exception):
    pass


def count(kind, word):
    with lock:
        result[kind][word] = result[kind].get(word, 0) + 1


def receive(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            raise Gone("connection closed")
        data += piece
    return data


def answer(s):
    """Reads until the server is ready; the first column of the rows."""
    rows = []
    while True:
        kind, length = struct.unpack("!cI", receive(s, 5))
        body = receive(s, length - 4)
        if kind == b"Z":
            return rows
        if kind == b"D":
            rows.append(body[6:].decode())
        if kind == b"E":
            fields = {f[:1]: f[1:].decode() for f in body.split(b"\0") if f}
            raise Gone(fields[b"C"] + " " + fields[b"M"])


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(f"{FOLDER}/.s.PGSQL.{PORT}")
    words = b"user\0" + ROLE.encode() + b"\0database\0" + DATABASE.encode() + b"\0\0"
    s.sendall(struct.pack("!II", len(words) + 8, 3 << 16) + words)
    answer(s)
    return s


def connect_counted():
    began = time.monotonic()
    try:
        s = connect()
    except (Gone, OSError) as e:
        count("refused", str(e))
        return None
    with lock:
        took = round((time.monotonic() - began) * 1000)
        result["longest_connect_ms"] = max(result["longest_connect_ms"], took)
    return s


def ask(s):
    text = b"SELECT name FROM public.me\0"
    s.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)
    return answer(s)[0]


def client(persistent):
    s, order = None, []
    while time.monotonic() < stop:
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
        if name not in order:
            order.append(name)
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
for t in threads:
    t.join()
json.dump(result, sys.stdout)
print()
