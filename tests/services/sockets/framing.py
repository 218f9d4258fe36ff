"""Where messages end."""

import time

from wire import conversation, exactly, head, message, note, request, response, rest, until

CHUNKED = "Transfer-Encoding: chunked"
SHORT = b"0\r\nA: b\r\n\r\n"
TRAILERS = b"0\r\nX-Trailer: one\r\nX-Other: two\r\n\r\n"
LONG_TRAILERS = b"0\r\nX-Trailer: " + b"t" * 200 + b"\r\n\r\n"
NEXT = (request("/next"), response(200, body=b"next"))


def chunk(size):
    return b"%x\r\n%s\r\n" % (size, b"x" * size)


def chunked(*pieces):
    return message("HTTP/1.1 200 OK", CHUNKED), *pieces


def served(path, pieces, method="GET", body=b""):
    """The response in these writes; then a next exchange, which shows that its end was found."""
    asked = request(path, method=method, body=body)

    def server(accept):
        with accept() as c:
            exactly(c, len(asked))
            for piece in pieces:
                c.sendall(piece)
            exactly(c, len(NEXT[0]))
            c.sendall(NEXT[1])

    def client(connect):
        with connect() as c:
            c.sendall(asked)
            exactly(c, sum(map(len, pieces)))
            c.sendall(NEXT[0])
            exactly(c, len(NEXT[1]))

    return server, client


def until_close_server(accept):
    with accept() as c:
        head(c)
        c.sendall(message("HTTP/1.0 200 OK"))
        for _ in range(5):
            c.sendall(b"y" * 100_000)


def until_close_client(connect):
    with connect() as c:
        c.sendall(message("GET /until-close HTTP/1.0"))
        rest(c)


def continue_server(accept):
    with accept() as c:
        head(c)
        c.sendall(message("HTTP/1.1 100 Continue"))
        exactly(c, 1000)
        c.sendall(response(202, body=b"taken"))


def continue_client(connect):
    with connect() as c:
        start = "POST /continue HTTP/1.1"
        c.sendall(message(start, "Host: raw.test", "Expect: 100-continue", "Content-Length: 1000"))
        head(c)
        c.sendall(b"z" * 1000)
        exactly(c, len(response(202, body=b"taken")))


COUNT = 20
PIPELINE = [(request(f"/pipelined?n={n}"), response(220 + n, body=b"p" * n)) for n in range(COUNT)]


def pipeline_server(accept):
    with accept() as c:
        exactly(c, sum(len(asked) for asked, _ in PIPELINE))
        c.sendall(b"".join(answer for _, answer in PIPELINE))


def pipeline_client(connect):
    with connect() as c:
        c.sendall(b"".join(asked for asked, _ in PIPELINE))
        exactly(c, sum(len(answer) for _, answer in PIPELINE))


def interleaved_server(accept):
    """Always one answer behind."""
    with accept() as c:
        exactly(c, len(PIPELINE[0][0]))
        for (following, _), (_, answer) in zip(PIPELINE[1:], PIPELINE):
            exactly(c, len(following))
            c.sendall(answer)
        c.sendall(PIPELINE[-1][1])


def interleaved_client(connect):
    with connect() as c:
        c.sendall(PIPELINE[0][0])
        for (following, _), (_, answer) in zip(PIPELINE[1:], PIPELINE):
            c.sendall(following)
            exactly(c, len(answer))
        exactly(c, len(PIPELINE[-1][1]))


def stream_server(accept):
    with accept() as c:
        head(c)
        c.sendall(message("HTTP/1.1 200 OK", CHUNKED))
        for _ in range(15):
            time.sleep(0.1)
            c.sendall(chunk(1000))
        c.sendall(TRAILERS)


def stream_client(connect):
    with connect() as c:
        note("stream-asked")
        c.sendall(request("/stream"))
        until(c, TRAILERS)
        note("stream-over")


CASES = {
    "small_chunks": served("/small-chunks", chunked(chunk(5), chunk(4000), chunk(1), TRAILERS)),
    "large_chunks": served("/large-chunks", chunked(*[chunk(100_000)] * 10, SHORT)),
    "end_in_large": served("/end-in-large", chunked(*[chunk(100_000)] * 9, chunk(100_000) + SHORT)),
    "long_trailers": served("/long-trailers", chunked(chunk(1_000_000) + LONG_TRAILERS)),
    "trailers_in_large": served("/trailers-in-large", chunked(chunk(1_000_000) + TRAILERS)),
    "one_large": served("/one-large", chunked(chunk(1_000_000) + b"0\r\n\r\n")),
    "head_only": served("/head", [message("HTTP/1.1 200 OK", "Content-Length: 5000")], "HEAD"),
    "none": served("/none", [message("HTTP/1.1 204 No Content")], "DELETE"),
    "unmodified": served("/unmodified", [message("HTTP/1.1 304 Same", "Content-Length: 77")]),
    "upload": served("/upload", [response(201, body=b"ok")], "PUT", b"u" * 10_000_000),
    "until_close": (until_close_server, until_close_client),
    "continue": (continue_server, continue_client),
    "pipeline": (pipeline_server, pipeline_client),
    "interleaved": (interleaved_server, interleaved_client),
    "stream": (stream_server, stream_client),
}
