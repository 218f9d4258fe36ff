"""Waits for a file, loads Python's TLS module for the first time, and asks a server over and over, each
time over a new connection, until there is another file."""

import os
import time

while not os.path.exists(os.environ["GO"]):
    time.sleep(0.01)

import ssl  # noqa: E402
import urllib.request  # noqa: E402

context = ssl.create_default_context(cafile=os.environ["AUTHORITY"])
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
)
number = 0
while not os.path.exists(os.environ["STOP"]):
    number += 1
    opener.open(f"{os.environ['URL']}{number}", timeout=10).read()
    time.sleep(0.02)
print(open("/proc/self/maps").read())
