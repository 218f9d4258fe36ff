"""aiohttp's server and client."""

import aiohttp
from aiohttp import web

import plan

get_blocking = plan.blocking()


async def handle(request):
    async def get(path):
        url = "http://%s:%d%s" % (plan.HOST, plan.BACK, path)
        async with request.app["session"].get(url) as response:
            await response.read()

    await plan.answer(request.match_info["mode"], request.match_info["name"], get, get_blocking)
    return web.Response(text="ok")


async def session(app):
    async with aiohttp.ClientSession() as app["session"]:
        yield


app = web.Application()
app.cleanup_ctx.append(session)
app.router.add_get("/{mode}/{name}", handle)
web.run_app(app, host=plan.HOST, port=plan.PORT, print=None, access_log=None)
