"""WebSocket by the package websockets.

talk.py serve PORT [CERTIFICATE KEY]    sends back what it is sent
talk.py call URL [AUTHORITY]            says what main() says, and closes
talk.py drop URL                        says one thing, and drops the connection
"""

import asyncio
import os
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

SECRET = "hunter2-is-my-password"
# Of this many bytes a message takes several operations.
LARGE = 300_000


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def answer(port, certificate=None, key=None):
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
    async with serve(echo, "127.0.0.1", int(port), ssl=context, ping_interval=None):
        print("ready", flush=True)
        await asyncio.Event().wait()


def reach(url, authority=None):
    context = ssl.create_default_context(cafile=authority) if authority else None
    compression = None if "PLAIN" in os.environ else "deflate"
    more = {"compression": compression, "max_size": None, "ping_interval": None, "proxy": None}
    return connect(url, ssl=context, **more)


async def call(url, authority=None):
    """Five messages: short, in three pieces, large, binary, empty; one ping in between."""
    async with reach(url, authority) as socket:
        await socket.send(SECRET)
        await socket.recv()
        await socket.send(["in ", "three ", "pieces"])
        await socket.recv()
        await (await socket.ping())
        await asyncio.sleep(0.3)
        for message in ("x" * LARGE, b"\x00" * 1000, ""):
            await socket.send(message)
        for _ in range(3):
            await socket.recv()


async def drop(url):
    socket = await reach(url)
    await socket.send(SECRET)
    await socket.recv()
    socket.transport.abort()


WAYS = {"serve": answer, "call": call, "drop": drop}
asyncio.run(WAYS[sys.argv[1]](*sys.argv[2:]))
