"""A Flask service that calls other services over a keep-alive pool, knowing nothing of tracing.

PORT is its port; CALLS the base URLs that each request is passed on to, in order; FORWARD the
request headers that go with it, as services behind a mesh do. A service without CALLS works for
WORK_MS, then answers 500 to /fail, 404 to /missing, else 200.
"""
import os
import time

import requests
from flask import Flask, request
from werkzeug.serving import WSGIRequestHandler

app = Flask(__name__)
session = requests.Session()
session.trust_env = False
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=32))
CALLS = os.environ.get("CALLS", "").split()
FORWARD = os.environ.get("FORWARD", "").split()
WORK = int(os.environ.get("WORK_MS", "0")) / 1000


@app.get("/<path:path>")
def handle(path):
    headers = {name: request.headers[name] for name in FORWARD if name in request.headers}
    statuses = [session.get(f"{call}/{path}", headers=headers, timeout=20).status_code for call in CALLS]
    if not CALLS:
        time.sleep(WORK)
        statuses = [{"fail": 500, "missing": 404}.get(path, 200)]
    return f"{path}\n", max(statuses)


def serve():
    # Werkzeug's default is HTTP/1.0, which closes each connection after one answer.
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)


if __name__ == "__main__":
    serve()
