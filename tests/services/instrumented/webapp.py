"""The first of the two services of the classic py_zipkin tutorial: its spans go to ZIPKIN, the
second service is at CALLS. Headers are made by create_http_headers_for_new_span."""
import os

import requests
from flask import Flask
from py_zipkin.zipkin import create_http_headers_for_new_span, zipkin_span

from transport import PORT, send

app = Flask(__name__)


@zipkin_span(service_name="webapp", span_name="do_stuff")
def do_stuff(path):
    headers = create_http_headers_for_new_span()
    return requests.get(f"{os.environ['CALLS']}/{path}", headers=headers, timeout=20).text


@app.get("/<path:path>")
def index(path):
    with zipkin_span(
        service_name="webapp",
        span_name="index",
        transport_handler=send,
        port=PORT,
        sample_rate=100,
    ):
        return do_stuff(path)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=PORT, threaded=True)
