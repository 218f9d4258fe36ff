"""Asks for /orders/ID with COUNT ids from FIRST on: CONCURRENCY threads, each with a connection of its
own to PORT that is kept alive.

    client.py PORT FIRST COUNT CONCURRENCY
"""
import http.client
import os
import sys
import threading

port, first, count, concurrency = map(int, sys.argv[1:])
ids = iter(range(first, first + count))
lock = threading.Lock()


def ask():
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    while True:
        with lock:
            number = next(ids, None)
        if number is None:
            return
        connection.request("GET", f"/orders/{number}")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            print(f"/orders/{number}: {answer.status}", file=sys.stderr)
            os._exit(1)


threads = [threading.Thread(target=ask) for _ in range(concurrency)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
