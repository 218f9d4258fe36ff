"""Answers /leaf/NAME; asks its neighbour for that over HTTPS when asked for /go/NAME."""

import os

import requests
from flask import Flask

app = Flask(__name__)
BEHIND, AUTHORITY = os.environ["BEHIND"], os.environ["AUTHORITY"]


@app.get("/go/<name>")
def go(name):
    return requests.get(f"{BEHIND}/leaf/{name}", verify=AUTHORITY, timeout=10).text


@app.get("/leaf/<name>")
def leaf(name):
    return name
