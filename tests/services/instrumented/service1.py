"""The second service of the classic py_zipkin tutorial, which takes the five B3 headers by hand."""
import time

from flask import Flask, request
from py_zipkin.zipkin import ZipkinAttrs, zipkin_span

from transport import PORT, send

app = Flask(__name__)


@zipkin_span(service_name="service1", span_name="service1_do_stuff")
def do_stuff():
    time.sleep(0.005)
    return "OK"


@app.get("/<path:path>")
def index(path):
    with zipkin_span(
        service_name="service1",
        zipkin_attrs=ZipkinAttrs(
            trace_id=request.headers["X-B3-TraceID"],
            span_id=request.headers["X-B3-SpanID"],
            parent_span_id=request.headers["X-B3-ParentSpanID"],
            flags=request.headers["X-B3-Flags"],
            is_sampled=request.headers["X-B3-Sampled"],
        ),
        span_name="index_service1",
        transport_handler=send,
        port=PORT,
        sample_rate=100,
    ):
        return do_stuff()


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=PORT, threaded=True)
