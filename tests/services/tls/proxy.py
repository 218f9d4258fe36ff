"""A proxy for tunnels (CONNECT), which cannot read what goes through them."""

import os
import socket
import threading


def pass_on(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)


def serve(client):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(65536)
    host, port = head.split(b" ")[1].rsplit(b":", 1)
    server = socket.create_connection((host.decode(), int(port)))
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    back = threading.Thread(target=pass_on, args=(server, client))
    back.start()
    pass_on(client, server)
    back.join()
    client.close()
    server.close()


listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
