"""Connections that are older than the tracer, or that do not begin with HTTP."""

import signal
import sys

from wire import conversation, exactly, head, message, request, response

BODY = 50_000_000
AGAIN = [(request(f"/again?n={n}"), response(200, body=b"a" * n)) for n in range(1, 4)]


def wait():
    """Until the test says that the tracer is there. Both sides get to here by themselves."""
    print("waiting", file=sys.stderr, flush=True)
    signal.sigwait({signal.SIGUSR1})


def talk_server(c):
    for asked, answer in AGAIN:
        exactly(c, len(asked))
        c.sendall(answer)


def talk_client(c):
    for asked, answer in AGAIN:
        c.sendall(asked)
        exactly(c, len(answer))


def idle_server(accept):
    with accept() as c:
        wait()
        talk_server(c)


def idle_client(connect):
    with connect() as c:
        wait()
        talk_client(c)


def used_server(accept):
    with accept() as c:
        talk_server(c)
        wait()
        talk_server(c)


def used_client(connect):
    with connect() as c:
        talk_client(c)
        wait()
        talk_client(c)


def body_server(accept):
    with accept() as c:
        head(c)
        c.sendall(message("HTTP/1.1 200 OK", f"Content-Length: {BODY}"))
        c.sendall(b"d" * 1_000_000)
        wait()
        c.sendall(b"d" * (BODY - 1_000_000))
        talk_server(c)


def body_client(connect):
    with connect() as c:
        c.sendall(request("/download"))
        head_and_some = len(message("HTTP/1.1 200 OK", f"Content-Length: {BODY}")) + 1_000_000
        exactly(c, head_and_some)
        wait()
        exactly(c, BODY - 1_000_000)
        talk_client(c)


def prefixed(path, prefix):
    first = prefix + request(path, method="POST", body=b"hello"), response(200, body=b"world")
    return conversation(first, (request(f"{path}-next"), response(200, body=b"x")))


V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 5555 80\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2, 1, 2, 0, 80])
CASES = {
    "idle": (idle_server, idle_client),
    "used": (used_server, used_client),
    "body": (body_server, body_client),
    "proxy_v1": prefixed("/proxy-v1", V1),
    "proxy_v2": prefixed("/proxy-v2", V2),
}
