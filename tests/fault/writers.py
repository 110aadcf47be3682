#!/usr/bin/env python3
"""Clients that write as fast as they can, and note what the server acknowledged.

usage: writers.py SOCKET-FOLDER PORT ROLE DATABASE CLIENTS LOG ROUND    until SIGTERM
       writers.py --check LOG SOCKET-FOLDER PORT ROLE DATABASE [LOST-WRITES.sql.gz]

A client of a round (below 10) has keys of its own, so that its log alone says what must be there. Each write is a
transaction of three round trips, BEGIN, the statement, COMMIT; a line goes to the log when COMMIT has
returned and the statement had found its row. A key whose last write was neither refused nor
acknowledged ("?") may be as before it or as after it; it is not written to again, nor judged.

--check prints one JSON document: acknowledged writes, keys judged, what is missing or wrong in the
database ("not_there"), and how many of those the file lacks ("not_in_file").
"""
import gzip
import json
import os
import random
import signal
import socket
import struct
import sys
import threading
import time


class Refused(Exception):
    pass


class Gone(Exception):
    pass


class Session:
    def __init__(self, folder, port, role, database):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        try:
            self.socket.connect(f"{folder}/.s.PGSQL.{port}")
            words = f"user\0{role}\0database\0{database}\0\0".encode()
            self.socket.sendall(struct.pack("!II", len(words) + 8, 3 << 16) + words)
        except OSError as e:
            raise Gone(e) from e
        self.answer()

    def receive(self, n):
        data = b""
        while len(data) < n:
            try:
                piece = self.socket.recv(n - len(data))
            except OSError as e:
                raise Gone(e) from e
            if not piece:
                raise Gone("connection closed")
            data += piece
        return data

    def answer(self):
        """Rows and the tag of the last command. An error of a session that goes on is Refused."""
        rows, tag, error = [], "", None
        while True:
            kind, length = struct.unpack("!cI", self.receive(5))
            body = self.receive(length - 4)
            if kind == b"Z":
                if error:
                    raise Refused(error)
                return rows, tag
            if kind == b"C":
                tag = body[:-1].decode()
            if kind == b"E":
                error = {f[:1]: f[1:].decode() for f in body.split(b"\0") if f}
                if error.get(b"S") == "FATAL":
                    raise Gone(error[b"M"])
            if kind == b"D":
                row, at = [], 2
                for _ in range(struct.unpack("!H", body[:2])[0]):
                    n = struct.unpack("!i", body[at:at + 4])[0]
                    at += 4
                    row.append(None if n < 0 else body[at:at + n].decode())
                    at += max(n, 0)
                rows.append(row)

    def query(self, sql):
        text = sql.encode() + b"\0"
        try:
            self.socket.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)
        except OSError as e:
            raise Gone(e) from e
        return self.answer()


class Client(threading.Thread):
    def __init__(self, number, place, log, stop):
        super().__init__()
        self.number, self.place, self.log, self.stop = number, place, log, stop
        self.next, self.value, self.keys = 0, 0, []
        self.random = random.Random(number)

    def choose(self):
        """(op, key, value, statement)"""
        self.value += 1
        op = self.random.choice("iiuuudb") if self.keys else "i"
        if op in "ib":
            self.next += 1
            key = self.number * 10**9 + self.next
            table = "written" if op == "i" else "bag"
            return op, key, self.value, f"INSERT INTO public.{table} VALUES ({key}, {self.value})"
        key = self.random.choice(self.keys[-200:])
        if op == "u":
            return op, key, self.value, f"UPDATE public.written SET v = {self.value} WHERE id = {key}"
        return op, key, self.value, f"DELETE FROM public.written WHERE id = {key}"

    def write(self, session):
        op, key, value, sql = self.choose()
        sent = False
        try:
            session.query("BEGIN")
            _, tag = session.query(sql)
            sent = True
            session.query("COMMIT")
        except Refused:
            session.query("ROLLBACK")
            time.sleep(0.01)
            return
        except Gone:
            if sent:
                self.log.write(f"? {key} {value}\n")
                self.keys = [k for k in self.keys if k != key]
            raise
        if tag.endswith(" 0"):
            self.keys = [k for k in self.keys if k != key]
            return
        self.log.write(f"{op} {key} {value}\n")
        if op == "i":
            self.keys.append(key)
        if op == "d":
            self.keys.remove(key)

    def run(self):
        session = None
        while not self.stop.is_set():
            try:
                session = session or Session(*self.place)
                self.write(session)
            except (Gone, Refused):
                session = None
                time.sleep(0.002)


def work(place, count, path, first):
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    logs = [open(f"{path}.{first + n}", "a", buffering=1, encoding="ascii") for n in range(count)]
    clients = [Client(first + n, place, logs[n], stop) for n in range(count)]
    for c in clients:
        c.start()
    while not stop.wait(0.2):
        pass
    for c in clients:
        c.join()


def model(path):
    """What must be there by key; keys that may be either way; the number of acknowledged writes."""
    want, unsure, acknowledged = {}, set(), 0
    folder = os.path.dirname(path)
    for name in sorted(os.listdir(folder)):
        if not name.startswith(os.path.basename(path) + "."):
            continue
        for line in open(os.path.join(folder, name), encoding="ascii"):
            op, key, value = line.split()
            if op == "?":
                unsure.add(int(key))
                continue
            acknowledged += 1
            want[int(key)] = None if op == "d" else int(value)
    return want, unsure, acknowledged


def in_file(path):
    """Keys of the rows in the file."""
    keys, copying = set(), False
    with gzip.open(path, "rt", encoding="utf-8") as f:
        for line in f:
            if line == "\\.\n":
                copying = False
            elif copying:
                keys.update(int(w) for w in line.split() if w.isdigit() and int(w) > 10**9)
            elif line.startswith("COPY "):
                copying = True
    return keys


def check(path, place, lost):
    want, unsure, acknowledged = model(path)
    session = Session(*place)
    rows = session.query("SELECT id, v FROM public.written UNION ALL SELECT id, v FROM public.bag")[0]
    there = {}
    twice = sum(int(r[0]) in there or there.update({int(r[0]): int(r[1])}) is not None for r in rows)
    bad = [k for k, v in want.items() if k not in unsure and there.get(k) != v]
    strange = [k for k in there if k not in want and k not in unsure]
    known = in_file(lost) if lost else set()
    print(json.dumps({"acknowledged": acknowledged, "judged": len(want.keys() - unsure), "unsure": len(unsure),
                      "not_there": len(bad), "not_in_file": sum(k not in known for k in bad),
                      "twice": twice, "strange": len(strange),
                      "for_example": [[k, want[k], there.get(k)] for k in bad[:5]]}))


if sys.argv[1] == "--check":
    check(sys.argv[2], sys.argv[3:7], sys.argv[7] if len(sys.argv) > 7 else None)
else:
    work(sys.argv[1:5], int(sys.argv[5]), sys.argv[6], 10 * int(sys.argv[7]) + 1)
