"""Two processes that talk to each other on plain sockets, the way a table of cases says.

    python3 sockets MODULE ADDRESS PORT CASE...

The parent serves, its child is the client; both go through the cases in the same order. ADDRESS is
127.0.0.1, ::1, or `mapped` for an IPv4 client of a server on an IPv6 socket. Exit code 0 if both
sides saw what they expected. Cases of `before` wait for SIGUSR1, which is blocked until then.
"""

import importlib
import os
import signal
import socket
import sys


def listen(address, port):
    if address == "mapped":
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family)


def main(module, address, port, *names):
    port = int(port)
    cases = [importlib.import_module(module).CASES[name] for name in names]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    listener = listen(address, port)
    child = os.fork()
    if child == 0:
        listener.close()
        target = ("127.0.0.1" if address == "mapped" else address, port)
        for _, client in cases:
            client(lambda: socket.create_connection(target))
        return
    for server, _ in cases:
        server(lambda: listener.accept()[0])
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
