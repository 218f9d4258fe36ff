"""One span of OpenTelemetry's SDK around one request to URL; the span goes to where the SDK's own variables
say, before the program ends. Prints the trace's id and the span's."""

import os

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
with provider.get_tracer("sdk").start_as_current_span("work") as span:
    headers = {}
    inject(headers)
    span.add_event("asking", {"attempt": 1})
    requests.get(os.environ["URL"], headers=headers, timeout=20)
    context = span.get_span_context()
print(f"{context.trace_id:032x} {context.span_id:016x}")
provider.shutdown()
