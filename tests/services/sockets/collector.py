"""A Zipkin backend that only writes down what it is sent: python3 collector.py ADDRESS PORT FILE."""

import gzip
import http.server
import sys


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        with open(sys.argv[3], "ab") as file:
            file.write(self.path.encode() + b" " + body + b"\n")
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Collector).serve_forever()
