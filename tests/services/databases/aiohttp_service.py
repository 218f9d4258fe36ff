"""The same on one thread: requests share an event loop, and connections a pool."""

import asyncio
import os
import socket

import asyncpg
import redis.asyncio
from aiohttp import web


async def rows(request):
    number = request.match_info["number"]
    statement = f"SELECT name, price AS t_asyncpg_{number} FROM items WHERE price > $1"
    async with request.app["postgres"].acquire() as connection:
        return web.Response(text=str(len(await connection.fetch(statement, 150))))


async def key(request):
    number = request.match_info["number"]
    cache = request.app["redis"]
    await cache.set(f"t_aioredis_{number}", "hunter2")
    return web.Response(body=await cache.get(f"t_aioredis_{number}"))


async def lookup(request):
    name = f"t-lookup-{request.match_info['number']}.tracer.test"
    found = await asyncio.get_running_loop().getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    return web.Response(text=str(found))


async def connect(app):
    app["postgres"] = await asyncpg.create_pool(
        host=os.environ["POSTGRES_HOST"], port=int(os.environ["POSTGRES_PORT"]),
        user="shop", database="shop", min_size=1, max_size=16,
    )
    app["redis"] = redis.asyncio.Redis(port=int(os.environ["REDIS_PORT"]))
    yield
    await app["redis"].aclose()
    await app["postgres"].close()


app = web.Application()
app.cleanup_ctx.append(connect)
app.add_routes([web.get("/asyncpg/{number}", rows), web.get("/aioredis/{number}", key)])
app.add_routes([web.get("/lookup/{number}", lookup)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
