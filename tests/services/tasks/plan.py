"""What every service here does with /MODE/ID: work, call /leaf/ID.0 and /leaf/ID.1 of the service at
CALLS in the way that MODE says, work, and answer. /leaf/... calls nobody."""

import asyncio
import os
import random

PORT = int(os.environ["PORT"])
HOST, BACK = "127.0.0.1", int(os.environ.get("CALLS", "").rpartition(":")[2] or 0)

# Tasks that outlive their requests.
LEFT = []


def work():
    return random.uniform(0, 0.004)


async def answer(mode, name, get, get_blocking):
    """`get` is a coroutine function, `get_blocking` a plain one."""
    if mode == "leaf":
        await asyncio.sleep(work())
        return
    if mode == "settled":
        # Answered when all that was left has been done.
        await asyncio.gather(*LEFT)
        return
    await asyncio.sleep(work())
    paths = ["/leaf/%s.%d" % (name, n) for n in range(2)]
    if mode == "sequential":
        for path in paths:
            await get(path)
            await asyncio.sleep(work())
    elif mode == "parallel":
        await asyncio.gather(*map(get, paths))
    elif mode == "threads":
        # asyncio.to_thread came with 3.9.
        import contextvars

        loop = asyncio.get_running_loop()
        runs = [contextvars.copy_context().run for _ in paths]
        futures = [
            loop.run_in_executor(None, run, get_blocking, path) for run, path in zip(runs, paths)
        ]
        await asyncio.gather(*futures)
    elif mode == "left":
        # One call outlives the request, the other does not.
        LEFT.append(asyncio.ensure_future(later(get, paths[0])))
        await get(paths[1])
    await asyncio.sleep(work())


async def later(get, path):
    await asyncio.sleep(0.05)
    await get(path)


def blocking():
    """A plain function that gets a path of the service behind, by a connection of its thread."""
    import http.client
    import threading

    local = threading.local()

    def get(path):
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(HOST, BACK)
        local.connection.request("GET", path)
        local.connection.getresponse().read()

    return get
