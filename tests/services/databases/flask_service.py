"""Asks a database for each request, in each mode by another driver. What it asks for carries the
request's number as a name, which nobody redacts. Connections come from pools."""

import os
import queue
import socket
import sys
from contextlib import contextmanager

import psycopg
import psycopg2
import pymongo
import pymysql
import redis
from flask import Flask, request
from pymemcache.client.base import PooledClient
from sqlalchemy import create_engine, text

app = Flask(__name__)
# Settings that differ from the environment's.
os.environ.update(setting.split("=", 1) for setting in sys.argv[1:])
POSTGRES = dict(host=os.environ["POSTGRES_HOST"], port=int(os.environ["POSTGRES_PORT"]), user="shop", dbname="shop")
MYSQL = dict(host="127.0.0.1", port=int(os.environ["MYSQL_PORT"]), user="shop", password="hunter2", database="shop")
REDIS = dict(port=int(os.environ["REDIS_PORT"]))
# Behind TLS, if somebody is to be trusted; libpq has settings of its own for that.
AUTHORITY = os.environ.get("AUTHORITY")
if AUTHORITY:
    MYSQL.update(ssl={"ca": AUTHORITY})
    REDIS.update(ssl=True, ssl_ca_certs=AUTHORITY)
cache = redis.Redis(**REDIS)
memcache = PooledClient(("127.0.0.1", int(os.environ["MEMCACHED_PORT"])), max_pool_size=16)
mongo = pymongo.MongoClient("127.0.0.1", int(os.environ["MONGO_PORT"]))
engine = create_engine(
    "mysql+pymysql://shop:hunter2@127.0.0.1:{}/shop".format(MYSQL["port"]), pool_size=16,
    connect_args={key: MYSQL[key] for key in MYSQL if key == "ssl"},
)


class Pool:
    """Hands out connections, one to a request at a time."""

    def __init__(self, connect):
        self.connect, self.idle = connect, queue.SimpleQueue()

    @contextmanager
    def connection(self):
        try:
            connection = self.idle.get_nowait()
        except queue.Empty:
            connection = self.connect()
        yield connection
        self.idle.put(connection)


pools = {
    "psycopg": Pool(lambda: psycopg.connect(**POSTGRES, autocommit=True)),
    "psycopg2": Pool(lambda: psycopg2.connect(**POSTGRES)),
    "pymysql": Pool(lambda: pymysql.connect(**MYSQL, autocommit=True)),
}


def sql(mode, number):
    return f"SELECT name, price AS t_{mode}_{number} FROM items WHERE price > %s AND name <> 'hunter2'"


@app.get("/psycopg/<number>")
@app.get("/psycopg2/<number>")
@app.get("/pymysql/<number>")
def driver(number):
    mode = request.path.split("/")[1]
    with pools[mode].connection() as connection, connection.cursor() as cursor:
        cursor.execute(sql(mode, number), (150,))
        return str(len(cursor.fetchall()))


@app.get("/sqlalchemy/<number>")
def alchemy(number):
    with engine.connect() as connection:
        statement = sql("sqlalchemy", number).replace("%s", ":least")
        return str(len(connection.execute(text(statement), {"least": 150}).all()))


@app.get("/redis/<number>")
def key(number):
    cache.set(f"t_redis_{number}", "hunter2")
    return cache.get(f"t_redis_{number}")


@app.get("/memcached/<number>")
def value(number):
    memcache.set(f"t_memcached_{number}", "hunter2", noreply=False)
    return memcache.get(f"t_memcached_{number}")


@app.get("/lookup/<number>")
def lookup(number):
    return str(socket.getaddrinfo(f"t-lookup-{number}.tracer.test", 80, type=socket.SOCK_STREAM))


@app.get("/pymongo/<number>")
def document(number):
    items = mongo.shop.items
    items.insert_one({f"t_pymongo_{number}": "hunter2"})
    return str(items.find_one({f"t_pymongo_{number}": "hunter2"}))


@app.get("/wrong/<number>")
def wrong(number):
    with pools["psycopg"].connection() as connection:
        try:
            connection.execute(f"SELECT t_wrong_{number} FROM nothing")
        except psycopg.errors.UndefinedTable as error:
            return error.sqlstate


@app.get("/pipeline/<number>")
def pipeline(number):
    pipe = cache.pipeline(transaction=False)
    for part in range(5):
        pipe.get(f"t_pipeline_{number}_{part}")
    return str(len(pipe.execute()))


app.run(port=int(os.environ["PORT"]), threaded=True)
