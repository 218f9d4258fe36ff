//! Spans, limits and backends to test with.

mod backend;
mod certificates;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use super::settings::Settings;
use crate::trace::{Endpoint, Kind, Link, Resource, Span, SpanId, Status, TraceId, Value};

pub(super) use backend::{Backend, Reply};
pub(super) use certificates::Certificates;

static SHOP: LazyLock<Arc<Resource>> = LazyLock::new(|| {
    Arc::new(Resource {
        service: "shop".into(),
        attributes: vec![
            ("process.pid".into(), Value::Int(42)),
            ("host.name".into(), "box".into()),
        ],
    })
});

/// A server span whose id is `number`, of trace `aa` with parent `bb`, started `number`
/// microseconds after 1.7e9 seconds, and 1.5 ms long; it failed with 500.
pub(super) fn span(number: u64) -> Span {
    let pair = |key: &'static str, value: Value| (Cow::Borrowed(key), value);
    let start = 1_700_000_000_000_000_000 + number * 1000;
    Span {
        trace_id: TraceId(0xaa_u128.to_be_bytes()),
        span_id: SpanId(number.to_be_bytes()),
        parent: Some(SpanId(0xbb_u64.to_be_bytes())),
        trace_state: None,
        kind: Kind::Server,
        name: "GET /cart/{id}".into(),
        start,
        end: start + 1_500_000,
        status: Status::Error(None),
        attributes: vec![
            pair("http.request.method", "GET".into()),
            pair("http.response.status_code", Value::Int(500)),
            pair("tracer.parent.method", "header".into()),
            pair("tracer.parent.confidence", Value::Double(0.98)),
        ],
        events: vec![],
        links: vec![Link {
            trace_id: TraceId([3; 16]),
            span_id: SpanId([4; 8]),
            attributes: vec![pair("why", "retry".into())],
        }],
        resource: Arc::clone(&SHOP),
        local: Endpoint { service: None, address: Some([127, 0, 0, 1].into()), port: 8080 },
        remote: Endpoint {
            service: Some("Front".into()),
            address: Some("::ffff:10.0.0.7".parse().unwrap()),
            port: 50_000,
        },
    }
}

/// Spans 1 to `count`.
pub(super) fn spans(count: u64) -> Vec<Arc<Span>> {
    (1..=count).map(|number| Arc::new(span(number))).collect()
}

/// Limits for tests: small pauses, and no wait for company unless a test wants one.
pub(super) fn settings() -> Settings {
    Settings {
        batch_age: Duration::from_millis(1),
        backoff_first: Duration::from_millis(2),
        backoff_longest: Duration::from_millis(20),
        ..Settings::default()
    }
}

/// Waits until something is so; panics if it isn't for long.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < patience, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
