//! Requests by which processes export spans.

use super::http1::RequestHead;

/// Where backends and collectors take spans, by the end of the path, as they may stand behind a
/// prefix: OTLP over HTTP (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>), Zipkin
/// (<https://zipkin.io/zipkin-api/>), and Jaeger's collector for Thrift
/// (<https://www.jaegertracing.io/docs/1.76/apis/#thrift-over-http>), and OTLP's and Jaeger's gRPC
/// services. Thrift over UDP is no HTTP at all and not seen.
const PATHS: [&str; 6] = [
    "/v1/traces",
    "/api/v2/spans",
    "/api/v1/spans",
    "/api/traces",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/jaeger.api_v2.CollectorService/PostSpans",
];

/// Whether a request hands spans over.
#[must_use]
pub fn is_export(request: &RequestHead) -> bool {
    let path = request.path().trim_end_matches('/');
    request.method.as_str() == "POST" && PATHS.iter().any(|end| path.ends_with(end))
}
