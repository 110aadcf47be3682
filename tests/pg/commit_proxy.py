#!/usr/bin/env python3
"""A server's unix socket under another folder, that keeps the answer to a COMMIT.

usage: commit_proxy.py FOLDER SOCKET

Listens on FOLDER/.s.PGSQL.5432 and passes each connection on to SOCKET. When a session that has asked for
txid_current() commits, the server gets that and FOLDER/held is made; the answer is passed on when there is
FOLDER/answer, and the connection is cut instead when there is FOLDER/cut.
"""
import asyncio
import os
import sys

folder, upstream = sys.argv[1:]


def is_there(name):
    return os.path.exists(os.path.join(folder, name))


class Session:
    asked = held = False

    async def hold(self):
        with open(os.path.join(folder, "held"), "w", encoding="utf-8"):
            pass
        while not is_there("answer") and not is_there("cut"):
            await asyncio.sleep(0.02)
        if is_there("cut"):
            raise ConnectionAbortedError
        self.held = False

    async def ask(self, reader, writer):
        while data := await reader.read(65536):
            self.asked = self.asked or b"txid_current" in data
            self.held = self.asked and data.endswith(b"COMMIT\0")
            writer.write(data)
            await writer.drain()

    async def answer(self, reader, writer):
        while data := await reader.read(65536):
            if self.held:
                await self.hold()
            writer.write(data)
            await writer.drain()


async def serve(reader, writer):
    session = Session()
    to_reader, to_writer = await asyncio.open_unix_connection(upstream)
    pumps = [asyncio.ensure_future(session.ask(reader, to_writer)), asyncio.ensure_future(session.answer(to_reader, writer))]
    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    for pump in pumps:
        pump.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)
    writer.transport.abort()
    to_writer.transport.abort()


async def main():
    path = os.path.join(folder, ".s.PGSQL.5432")
    server = await asyncio.start_unix_server(serve, path)
    os.chmod(path, 0o777)
    async with server:
        await server.serve_forever()


asyncio.run(main())
