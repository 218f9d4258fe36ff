"""Server-sent events by Flask: five events in a stream of 0.4 s, or as many as the path says."""

import os
import time

from flask import Flask, Response

app = Flask(__name__)


@app.get("/events/<int:count>")
def events(count):
    def tell():
        for number in range(count):
            if number:
                time.sleep(0.1)
            yield f"id: {number}\nevent: tick\ndata: first line {number}\ndata: second line\n\n"

    return Response(tell(), mimetype="text/event-stream")


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
