"""The shop's front: looks at the cart and renders it."""
import os

import requests
from flask import Flask, jsonify
from werkzeug.serving import WSGIRequestHandler

app = Flask(__name__)
cart = requests.Session()
cart.trust_env = False


@app.get("/checkout/<int:customer>")
def checkout(customer):
    answer = cart.get(f"{os.environ['CART']}/cart/{customer}", timeout=10)
    if answer.status_code != 200:
        return jsonify(error="try again later"), 503
    return jsonify(customer=customer, cart=answer.json())


if __name__ == "__main__":
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
