"""The system calls that move bytes, each used for a whole exchange on both sides."""

import os
import socket

from wire import exactly, request, response


def write(c, data):
    assert os.write(c.fileno(), data) == len(data)


def writev(c, data):
    pieces = [data[i : i + 7] for i in range(0, len(data), 7)]
    assert os.writev(c.fileno(), pieces) == len(data)


def send(c, data):
    assert c.send(data) == len(data)


def sendto(c, data):
    assert c.sendto(data, 0, c.getpeername()) == len(data)


def sendmsg(c, data):
    """Many vectors, and more empty ones in front than anybody looks at."""
    pieces = [b""] * 20 + [piece for i in range(len(data)) for piece in (data[i : i + 1], b"")]
    assert c.sendmsg(pieces) == len(data)


def single(c, data):
    for i in range(len(data)):
        c.send(data[i : i + 1])


def read(c, count):
    while count:
        count -= len(os.read(c.fileno(), count))


def readv(c, count):
    while count:
        buffers = [bytearray(11) for _ in range((count + 10) // 11)]
        buffers[-1] = bytearray((count - 1) % 11 + 1)
        count -= os.readv(c.fileno(), buffers)


def recv(c, count):
    exactly(c, count)


def recvfrom(c, count):
    while count:
        count -= len(c.recvfrom(count)[0])


def recvmsg(c, count):
    while count:
        buffers = [bytearray(1) if i % 2 else bytearray() for i in range(2 * min(count, 400))]
        count -= c.recvmsg_into(buffers)[0]


def recv_one(c, count):
    for _ in range(count):
        assert len(c.recv(1)) == 1


def recv_few(c, count):
    while count:
        count -= len(c.recv(min(count, 10)))


def peek(c, count):
    """Looks before each read, at less and at more than it then reads."""
    while count:
        c.recv(3, socket.MSG_PEEK)
        c.recv(65536, socket.MSG_PEEK)
        count -= len(c.recv(min(count, 20)))


def waitall(c, count):
    assert len(c.recv(count, socket.MSG_WAITALL)) == count


def case(name, put, take):
    asked = request(f"/{name}", method="POST", body=b"hello")
    answer = response(201, body=b"goodbye")

    def server(accept):
        with accept() as c:
            for _ in range(2):
                take(c, len(asked))
                put(c, answer)

    def client(connect):
        with connect() as c:
            for _ in range(2):
                put(c, asked)
                take(c, len(answer))

    return server, client


PAIRS = {
    "read_write": (write, read),
    "readv_writev": (writev, readv),
    "send_recv": (send, recv),
    "sendto_recvfrom": (sendto, recvfrom),
    "sendmsg_recvmsg": (sendmsg, recvmsg),
    "one_byte": (single, recv_one),
    "partial_reads": (send, recv_few),
    "peek": (send, peek),
    "waitall": (send, waitall),
    "vectors_to_bytes": (sendmsg, recv_one),
    "bytes_to_vectors": (single, recvmsg),
}
CASES = {name: case(name, *pair) for name, pair in PAIRS.items()}
