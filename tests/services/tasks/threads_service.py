"""A thread for each connection, and one more for each call that a request makes."""

import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import plan


def get(path):
    time.sleep(plan.work())
    connection = http.client.HTTPConnection(plan.HOST, plan.BACK)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, mode, name = self.path.split("/")
        if mode != "leaf":
            paths = ["/leaf/%s.%d" % (name, n) for n in range(2)]
            threads = [threading.Thread(target=get, args=(path,)) for path in paths]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        time.sleep(plan.work())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer((plan.HOST, plan.PORT), Handler).serve_forever()
