//! Requests by which processes export spans.

use super::http1::RequestHead;

/// Where backends and collectors take spans, by the end of the path, as they may stand behind a
/// prefix: OTLP over HTTP (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>), Zipkin
/// (<https://zipkin.io/zipkin-api/>), and Jaeger's collector for Thrift
/// (<https://www.jaegertracing.io/docs/1.76/apis/#thrift-over-http>). OTLP over gRPC is HTTP/2 and
/// Thrift over UDP no HTTP at all: neither is seen.
const PATHS: [&str; 4] = ["/v1/traces", "/api/v2/spans", "/api/v1/spans", "/api/traces"];

/// Whether a request hands spans over.
#[must_use]
pub fn is_export(request: &RequestHead) -> bool {
    let path = request.path().trim_end_matches('/');
    request.method.as_str() == "POST" && PATHS.iter().any(|end| path.ends_with(end))
}
