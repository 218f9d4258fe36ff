"""What the cases have in common."""

import time


def message(start, *fields, body=b""):
    """A message head with its body, the head's end included."""
    return "\r\n".join([start, *fields, "", ""]).encode() + body


def request(path, *fields, method="GET", body=b""):
    if body:
        fields += (f"Content-Length: {len(body)}",)
    return message(f"{method} {path} HTTP/1.1", "Host: raw.test", *fields, body=body)


def response(status, *fields, body=b""):
    return message(f"HTTP/1.1 {status} Some Reason", *fields, f"Content-Length: {len(body)}", body=body)


def exactly(connection, count):
    """Reads that many bytes, in as many reads as it takes, and throws the bytes of more than
    64 KiB away."""
    read, kept = 0, b""
    while read < count:
        piece = connection.recv(min(count - read, 65536))
        if not piece:
            raise EOFError(f"{read} of {count} bytes")
        read += len(piece)
        kept = (kept + piece)[-65536:]
    return kept


def until(connection, end):
    """Reads as far as `end`, for a peer that then waits."""
    read = b""
    while not read.endswith(end):
        piece = connection.recv(65536)
        if not piece:
            raise EOFError(f"{read[-100:]}, no {end}")
        read += piece
    return read


def head(connection):
    return until(connection, b"\r\n\r\n")


def rest(connection):
    """Reads to the end of the stream; the number of bytes."""
    count = 0
    while piece := connection.recv(65536):
        count += len(piece)
    return count


def note(name):
    """Tells the test that something has happened, and when, in nanoseconds since the epoch."""
    print(name, time.time_ns(), flush=True)


def conversation(*turns):
    """A case whose two sides know what comes: each turn is a request with its response."""

    def server(accept):
        with accept() as c:
            for asked, answer in turns:
                exactly(c, len(asked))
                c.sendall(answer)

    def client(connect):
        with connect() as c:
            for asked, answer in turns:
                c.sendall(asked)
                exactly(c, len(answer))

    return server, client
