"""Asks for URLs, one after the other over one connection, by HTTP/2: httpx. AUTHORITY names whom to trust."""

import os
import ssl
import sys

import httpx

trust = ssl.create_default_context(cafile=os.environ["AUTHORITY"])
with httpx.Client(http2=True, verify=trust, trust_env=False) as client:
    for url in sys.argv[1:]:
        answer = client.get(url)
        answer.raise_for_status()
        assert answer.http_version == "HTTP/2", answer.http_version
