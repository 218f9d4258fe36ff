"""gRPC by grpcio: the service test.Echo as in main.go, and calls of it.

    rpc_service.py serve ADDRESS
    rpc_service.py call ADDRESS CALLS
    rpc_service.py converse ADDRESS        a call for every line of input, then a line "called"

Messages are google.protobuf.StringValue of less than 128 bytes, which are made here by hand.
"""

import sys
from concurrent import futures

import grpc

MESSAGES = 3


def text(value):
    return b"\n" + bytes([len(value)]) + value


def unary(request, context):
    if request == text(b"fail"):
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
    return request


def collect(requests, _):
    for _ in requests:
        pass
    return text(b"answer")


def expand(_, __):
    for _ in range(MESSAGES):
        yield text(b"answer")


def chat(requests, _):
    yield from requests


def serve(address):
    server = grpc.server(futures.ThreadPoolExecutor(8))
    methods = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Collect": grpc.stream_unary_rpc_method_handler(collect),
        "Expand": grpc.unary_stream_rpc_method_handler(expand),
        "Chat": grpc.stream_stream_rpc_method_handler(chat),
    }
    handler = grpc.method_handlers_generic_handler("test.Echo", methods)
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(address)
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


def requests():
    for _ in range(MESSAGES):
        yield text(b"request")


def call(address, calls):
    with grpc.insecure_channel(address) as channel:
        for _ in range(calls):
            channel.unary_unary("/test.Echo/Unary")(text(b"echo"))
            try:
                channel.unary_unary("/test.Echo/Unary")(text(b"fail"))
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.NOT_FOUND, error
            channel.stream_unary("/test.Echo/Collect")(requests())
            assert len(list(channel.unary_stream("/test.Echo/Expand")(text(b"")))) == MESSAGES
            assert len(list(channel.stream_stream("/test.Echo/Chat")(requests()))) == MESSAGES


def converse(address):
    with grpc.insecure_channel(address) as channel:
        for _ in sys.stdin:
            channel.unary_unary("/test.Echo/Unary")(text(b"echo"))
            print("called", flush=True)


match sys.argv[1:]:
    case ["serve", address]:
        serve(address)
    case ["converse", address]:
        converse(address)
    case ["call", address, calls]:
        call(address, int(calls))
