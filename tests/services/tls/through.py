"""Asks a server for /leaf/inside through a proxy's tunnel."""

import http.client
import os
import ssl

context = ssl.create_default_context(cafile=os.environ["AUTHORITY"])
connection = http.client.HTTPSConnection(
    "127.0.0.1", int(os.environ["PROXY"]), context=context, timeout=10
)
connection.set_tunnel("localhost", int(os.environ["SERVER"]))
connection.request("GET", "/leaf/inside")
assert connection.getresponse().read() == b"inside"
