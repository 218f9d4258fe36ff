"""Looks up names for nobody's request, again and again, and writes a line for each round."""

import socket
import struct
import sys
import time

server = (sys.argv[1], 53)


def query(number, name, kind=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


number = 0
while True:
    number = number % 60_000 + 1
    try:
        socket.getaddrinfo("nowhere.invalid", 80)
    except socket.gaierror:
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(query(number, "unconnected.tracer.test"), server)
        one.recvfrom(512)
    with socket.create_connection(server) as one:
        message = query(number, "stream.tracer.test")
        one.sendall(struct.pack(">H", len(message)) + message)
        one.recv(512)
    print(number, flush=True)
    time.sleep(0.05)
