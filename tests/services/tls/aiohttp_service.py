"""The same as flask_service.py with all requests in one thread; its TLS goes through memory."""

import asyncio
import os
import ssl

from aiohttp import ClientSession, web

BEHIND = os.environ["BEHIND"]
CLIENT = ssl.create_default_context(cafile=os.environ["AUTHORITY"])
SERVER = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
SERVER.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])


async def go(request):
    await asyncio.sleep(0.005)
    name = request.match_info["name"]
    # What was asked before the tracer looks leaves no connection that is older than it.
    headers = {"Connection": "close"} if name == "before" else {}
    url = f"{BEHIND}/leaf/{name}"
    async with request.app["session"].get(url, ssl=CLIENT, headers=headers) as answer:
        return web.Response(text=await answer.text())


async def leaf(request):
    await asyncio.sleep(0.005)
    return web.Response(text=request.match_info["name"])


async def main():
    app = web.Application()
    app.add_routes([web.get("/go/{name}", go), web.get("/leaf/{name}", leaf)])
    app["session"] = ClientSession()
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"]), ssl_context=SERVER).start()
    await asyncio.Event().wait()


asyncio.run(main())
