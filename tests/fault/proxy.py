#!/usr/bin/env python3
"""A server's unix socket under another folder, whose connections can be cut.

usage: proxy.py FOLDER SOCKET

Listens on FOLDER/.s.PGSQL.5432 and passes each connection on to SOCKET. SIGUSR1 cuts all that are
open; SIGUSR2 cuts them and refuses new ones for a second. Both leave FOLDER/cut behind when done.
"""
import asyncio
import os
import signal
import sys

folder, upstream = sys.argv[1:]
writers = set()
refusing = False


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def serve(reader, writer):
    if refusing:
        writer.transport.abort()
        return
    try:
        to_reader, to_writer = await asyncio.open_unix_connection(upstream)
    except OSError:
        writer.transport.abort()
        return
    writers.update((writer, to_writer))
    await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))
    writers.difference_update((writer, to_writer))


def cut():
    for writer in list(writers):
        writer.transport.abort()
    with open(os.path.join(folder, "cut"), "w", encoding="utf-8"):
        pass


def accept_again():
    global refusing
    refusing = False


def cut_and_refuse():
    global refusing
    refusing = True
    asyncio.get_running_loop().call_later(1, accept_again)
    cut()


async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, cut)
    loop.add_signal_handler(signal.SIGUSR2, cut_and_refuse)
    path = os.path.join(folder, ".s.PGSQL.5432")
    server = await asyncio.start_unix_server(serve, path)
    os.chmod(path, 0o777)
    async with server:
        await server.serve_forever()


asyncio.run(main())
