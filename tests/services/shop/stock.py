"""What is in stock; every fifth look takes long."""
import itertools
import os
import time

from flask import Flask, jsonify
from werkzeug.serving import WSGIRequestHandler

app = Flask(__name__)
looks = itertools.count(1)


@app.get("/stock/<item>")
def stock(item):
    time.sleep(0.4 if next(looks) % 5 == 0 else 0.01)
    return jsonify(item=item, left=7)


if __name__ == "__main__":
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
