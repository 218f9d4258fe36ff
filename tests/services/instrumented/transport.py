"""The tutorial's HTTP transport."""
import os

import requests

PORT = int(os.environ["PORT"])


def send(encoded_span):
    requests.post(
        f"{os.environ['ZIPKIN']}/api/v2/spans",
        data=encoded_span,
        headers={"Content-Type": "application/json"},
        timeout=20,
    )
