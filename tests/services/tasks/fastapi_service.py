"""FastAPI with httpx; /blocking is no coroutine, so the framework runs it in a thread, and /streamed
is answered by a task of its own."""

import asyncio
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

import plan

get_blocking = plan.blocking()


@asynccontextmanager
async def lifespan(app):
    async with httpx.AsyncClient(base_url="http://%s:%d" % (plan.HOST, plan.BACK)) as app.client:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/blocking/{name}")
def blocking(name: str):
    for n in range(2):
        get_blocking("/leaf/%s.%d" % (name, n))
    return PlainTextResponse("ok")


@app.get("/streamed/{name}")
async def streamed(name: str):
    await app.client.get("/leaf/%s.0" % name)

    async def body():
        yield b"o"
        await app.client.get("/leaf/%s.1" % name)
        yield b"k"

    return StreamingResponse(body())


@app.get("/{mode}/{name}")
async def handle(mode: str, name: str):
    async def get(path):
        await app.client.get(path)

    await plan.answer(mode, name, get, get_blocking)
    return PlainTextResponse("ok")
