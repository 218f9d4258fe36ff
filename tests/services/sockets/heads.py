"""Heads in pieces, and heads that are long."""

from wire import conversation, exactly, head, message, request, response

ASKED = "/split?at=%d", "X-Some: thing"
LIMIT = 16384


def splits():
    """One request for each place where a head can be cut, with its response cut as well."""
    at = 1
    while True:
        asked = request(ASKED[0] % at, ASKED[1])
        if at >= len(asked):
            return
        yield at, asked, response(200, body=b"x" * at)
        at += 1


def split_server(accept):
    with accept() as c:
        for at, asked, answer in splits():
            # What is read ends at the cut, whatever the network made of it.
            exactly(c, at)
            exactly(c, len(asked) - at)
            cut = at % len(answer)
            c.sendall(answer[:cut])
            c.sendall(answer[cut:])


def split_client(connect):
    with connect() as c:
        for at, asked, answer in splits():
            c.sendall(asked[:at])
            c.sendall(asked[at:])
            cut = at % len(answer)
            exactly(c, cut)
            exactly(c, len(answer) - cut)


def padded(size, start, *fields, body=b""):
    """A message whose head has `size` bytes."""
    missing = size - len(message(start, "X-Pad: ", *fields))
    return message(start, "X-Pad: " + "p" * missing, *fields, body=body)


def long(path, size):
    asked = padded(
        size,
        f"PUT {path} HTTP/1.1",
        "Host: raw.test",
        "X-B3-TraceId: 463ac35c9f6413ad48485a3953bb6124",
        "Content-Length: 3",
        "X-B3-SpanId: a2fb4a1d1a96d312",
        body=b"abc",
    )
    return asked, padded(size, "HTTP/1.1 207 Multi", "Content-Length: 9", body=b"ninebytes")


def beside_server(accept):
    """A bystander's exchange is open while another connection sends a head that is too long."""
    with accept() as bystander, accept() as c:
        head(bystander)
        asked, answer = long("/too-long", 3 * LIMIT)
        exactly(c, len(asked))
        c.sendall(answer)
        bystander.sendall(response(200, body=b"unmoved"))
        head(c)
        c.sendall(response(200, body=b"again"))
        head(bystander)
        bystander.sendall(response(200, body=b"still"))
        head(bystander)


def beside_client(connect):
    with connect() as bystander, connect() as c:
        bystander.sendall(request("/bystander"))
        asked, answer = long("/too-long", 3 * LIMIT)
        c.sendall(asked)
        exactly(c, len(answer))
        exactly(bystander, len(response(200, body=b"unmoved")))
        c.sendall(request("/after-too-long"))
        exactly(c, len(response(200, body=b"again")))
        bystander.sendall(request("/bystander-again"))
        exactly(bystander, len(response(200, body=b"still")))
        # Only once it is answered, so that the other connection's end comes first.
        bystander.sendall(request("/unanswered"))


CASES = {
    "split": (split_server, split_client),
    "full": conversation(long("/full", LIMIT), (request("/after-full"), response(200, body=b"x"))),
    "beside": (beside_server, beside_client),
}
