"""Zipkin's own page (Lens) before another server's API: LENS_JAR is the jar that Lens is in, a jar itself
or inside a server's; API the other server's address, TOKEN what it asks for."""

import io
import json
import os
import sys
import urllib.error
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
CONFIG = {
    "environment": "",
    "queryLimit": 10,
    "defaultLookback": 3_600_000,
    "searchEnabled": True,
    "dependency": {"enabled": True, "lowErrorRate": 0.5, "highErrorRate": 0.75},
}


def lens(path):
    jar = zipfile.ZipFile(path)
    inner = [name for name in jar.namelist() if "/zipkin-lens-" in name]
    return zipfile.ZipFile(io.BytesIO(jar.read(inner[0]))) if inner else jar


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/zipkin/config.json":
            self.answer(200, "application/json", json.dumps(CONFIG).encode())
        elif path.startswith("/zipkin/api/"):
            self.proxy()
        else:
            self.file(path)

    def proxy(self):
        # The tracer has the API below /zipkin as well.
        headers = {"Authorization": "Bearer " + os.environ["TOKEN"]}
        request = urllib.request.Request(os.environ["API"] + self.path, headers=headers)
        try:
            with OPENER.open(request, timeout=20) as answer:
                self.answer(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as error:
            self.answer(error.code, "text/plain", error.read())

    def file(self, path):
        name = "zipkin-lens" + path.removeprefix("/zipkin")
        # Every view of the page is the same document.
        if name not in NAMES or name.endswith("/"):
            name = "zipkin-lens/index.html"
        kind = TYPES.get(os.path.splitext(name)[1], "application/octet-stream")
        self.answer(200, kind, LENS.read(name))

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        print(format % arguments, file=sys.stderr)


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
LENS = lens(os.environ["LENS_JAR"])
NAMES = set(LENS.namelist())
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
