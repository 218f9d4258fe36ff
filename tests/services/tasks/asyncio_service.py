"""On asyncio alone, so that every interpreter can run it: a task for each connection."""

import asyncio

import plan

idle = []
# The loop itself holds them weakly.
tasks = set()


async def get(path):
    reader, writer = idle.pop() if idle else await asyncio.open_connection(plan.HOST, plan.BACK)
    head = "GET %s HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % (path, plan.HOST, plan.BACK)
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\nok")
    idle.append((reader, writer))


get_blocking = plan.blocking()


async def serve(reader, writer):
    tasks.add(asyncio.current_task())
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return writer.close()
        _, mode, name = head.split()[1].decode().split("/")
        await plan.answer(mode, name, get, get_blocking)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def main():
    server = await asyncio.start_server(serve, plan.HOST, plan.PORT)
    await server.serve_forever()


asyncio.run(main())
