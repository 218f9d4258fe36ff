"""What is not HTTP, or does not stay HTTP, or is never answered."""

from wire import exactly, head, message, note, request, response, rest

LIKE_HTTP = request("/inside") + response(200, body=b"inside")


def left(asked, answer, name):
    """HTTP that becomes something else, which then even looks like HTTP."""

    def server(accept):
        with accept() as c:
            head(c)
            c.sendall(answer)
            exactly(c, 1)
            for _ in range(50):
                c.sendall(bytes(range(256)) * 40)
            c.sendall(LIKE_HTTP)
            rest(c)

    def client(connect):
        with connect() as c:
            c.sendall(asked)
            exactly(c, len(answer))
            note(name)
            c.sendall(b"\0")
            exactly(c, 50 * 256 * 40 + len(LIKE_HTTP))
            c.sendall(LIKE_HTTP)

    return server, client


def unanswered_server(accept):
    with accept() as c:
        head(c)


def unanswered_client(connect):
    with connect() as c:
        c.sendall(request("/unanswered"))
        rest(c)


def spoken(*lines):
    """The server speaks first; then they take turns."""

    def server(accept):
        with accept() as c:
            for i, line in enumerate(lines):
                exactly(c, len(line)) if i % 2 else c.sendall(line)

    def client(connect):
        with connect() as c:
            for i, line in enumerate(lines):
                c.sendall(line) if i % 2 else exactly(c, len(line))

    return server, client


HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(200)
SWITCH = message("HTTP/1.1 101 Switching", "Upgrade: raw", "Connection: Upgrade")
CASES = {
    "upgrade": left(request("/up", "Upgrade: raw", "Connection: Upgrade"), SWITCH, "upgraded"),
    "tunnel": left(
        message("CONNECT raw.test:443 HTTP/1.1", "Host: raw.test:443"),
        message("HTTP/1.1 200 Connected"),
        "connected",
    ),
    "unanswered": (unanswered_server, unanswered_client),
    # After the first look nothing can bring them back: here, lines that look like HTTP.
    "mail": spoken(b"220 mail ESMTP\r\n", b"EHLO me\r\n", b"250 fine\r\n", LIKE_HTTP, LIKE_HTTP),
    "binary": spoken(b"\0\1\2\3" * 9, bytes(range(128, 256)), LIKE_HTTP, LIKE_HTTP),
    "tls": spoken(b"", HELLO, HELLO[:5], HELLO),
}
