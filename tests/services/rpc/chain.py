"""A chain of services by gRPC, knowing nothing of tracing: Flask in front, grpcio behind.

    chain.py front PORT NEXT       GET /KIND/NAME calls /test.NAME/KIND at NEXT
    chain.py back ADDRESS [NEXT]   answers whatever is called; before, it calls the same at NEXT

The kinds are those of rpc_service.py. Every channel is one connection for all threads.
"""

import sys
from concurrent import futures

import grpc

MESSAGES = 3
MESSAGE = b"\n\x04text"


def call(channel, method):
    kind = method.rsplit("/", 1)[1]
    messages = iter([MESSAGE] * MESSAGES)
    if kind == "Unary":
        channel.unary_unary(method)(MESSAGE)
    elif kind == "Collect":
        channel.stream_unary(method)(messages)
    elif kind == "Expand":
        assert len(list(channel.unary_stream(method)(MESSAGE))) == MESSAGES
    else:
        assert len(list(channel.stream_stream(method)(messages))) == MESSAGES


class Anything(grpc.GenericRpcHandler):
    def __init__(self, channel):
        self.channel = channel

    def service(self, details):
        method = details.method
        kind = method.rsplit("/", 1)[1]

        def one(requests, _):
            if kind in ("Collect", "Chat"):
                list(requests)
            if self.channel:
                call(self.channel, method)
            return MESSAGE

        def many(requests, context):
            one(requests, context)
            yield from [MESSAGE] * MESSAGES

        make = {
            "Unary": lambda: grpc.unary_unary_rpc_method_handler(one),
            "Collect": lambda: grpc.stream_unary_rpc_method_handler(one),
            "Expand": lambda: grpc.unary_stream_rpc_method_handler(many),
            "Chat": lambda: grpc.stream_stream_rpc_method_handler(many),
        }
        return make[kind]()


def back(address, following):
    channel = grpc.insecure_channel(following) if following else None
    server = grpc.server(futures.ThreadPoolExecutor(32))
    server.add_generic_rpc_handlers((Anything(channel),))
    server.add_insecure_port(address)
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


def front(port, following):
    from flask import Flask
    from werkzeug.serving import WSGIRequestHandler, make_server

    app = Flask(__name__)
    channel = grpc.insecure_channel(following)

    @app.get("/<kind>/<name>")
    def handle(kind, name):
        call(channel, f"/test.{name}/{kind}")
        return "done\n"

    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = make_server("127.0.0.1", port, app, threaded=True)
    print("ready", flush=True)
    server.serve_forever()


match sys.argv[1:]:
    case ["front", port, following]:
        front(int(port), following)
    case ["back", address, *following]:
        back(address, following[0] if following else None)
