"""The server's protocol, as much as clients of tests need: a process for each connection would be too slow to press."""
import socket
import struct


class Gone(Exception):
    pass


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


def connect(folder, port, role, database):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(f"{folder}/.s.PGSQL.{port}")
    words = b"user\0" + role.encode() + b"\0database\0" + database.encode() + b"\0\0"
    s.sendall(struct.pack("!II", len(words) + 8, 3 << 16) + words)
    answer(s)
    return s


def answer_to(s, text):
    text = text.encode() + b"\0"
    s.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)
    return answer(s)
