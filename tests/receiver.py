#!/usr/bin/env python3
"""A webhook receiver for tests: keeps what it is sent, and can misbehave.

Listens on 127.0.0.1, any free port, and writes the port into --port-file once it can be reached.
Each request becomes one JSON line in --log: {"method", "path", "headers" (names in lower case),
"body" (parsed JSON, otherwise the text), "answered" (status, 0 for none)}; the line is there before
the answer is sent. Rule of use: a test starts it in the background and ends it by its pid; it ends
by itself when its parent is gone or after --life seconds.
"""
import argparse
import http.server
import json
import os
import threading
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--port-file", required=True, help="file that gets the chosen port")
parser.add_argument("--log", required=True, help="file that gets one JSON line a request")
parser.add_argument("--fail", type=int, default=0, metavar="N", help="answer the first N requests with 500")
parser.add_argument("--status", type=int, default=200, help="the usual answer (default 200)")
parser.add_argument("--location", help="Location header of the answer, for --status 302")
parser.add_argument("--hang", action="store_true", help="never answer")
parser.add_argument("--delay", type=float, default=0, metavar="SECONDS", help="wait before each answer")
parser.add_argument("--body", default="ok\n", help="text of the answer")
parser.add_argument("--life", type=float, default=600, metavar="SECONDS", help="end after this time (default 600)")
args = parser.parse_args()

lock = threading.Lock()
seen = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        global seen
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode("utf-8", "replace")
        with lock:
            seen += 1
            status = 0 if args.hang else 500 if seen <= args.fail else args.status
            line = {
                "method": self.command,
                "path": self.path,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": body,
                "answered": status,
            }
            with open(args.log, "a", encoding="utf-8") as log:
                log.write(json.dumps(line, ensure_ascii=False) + "\n")
        time.sleep(args.life if args.hang else args.delay)
        text = b"" if self.command == "HEAD" else args.body.encode()
        self.send_response(status or 200)
        self.send_header("Content-Length", str(len(text)))
        if args.location:
            self.send_header("Location", args.location)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a caller that gave up is no news


parent = os.getppid()
open(args.log, "a").close()
server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(args.port_file + ".new", "w", encoding="ascii") as port_file:
    port_file.write(f"{server.server_address[1]}\n")
os.rename(args.port_file + ".new", args.port_file)

end = time.monotonic() + args.life
while time.monotonic() < end and os.getppid() == parent:
    time.sleep(0.2)
