//! Spans to test with.

use std::sync::Arc;

use super::Store;
use crate::trace::{Endpoint, Event, Kind, Link, Resource, Span, SpanId, Status, TraceId, Value};

/// What tests care about.
#[derive(Clone, Debug)]
pub(super) struct Shape<'a> {
    pub(super) trace: u64,
    pub(super) id: u64,
    /// 0 for none.
    pub(super) parent: u64,
    pub(super) kind: Kind,
    pub(super) service: &'a str,
    pub(super) name: &'a str,
    pub(super) remote: Option<&'a str>,
    pub(super) start: u64,
    pub(super) took: u64,
    pub(super) failed: bool,
    pub(super) path: &'a str,
}

impl Default for Shape<'_> {
    fn default() -> Self {
        Shape {
            trace: 1,
            id: 1,
            parent: 0,
            kind: Kind::Server,
            service: "shop",
            name: "GET /cart/{id}",
            remote: None,
            start: 1_700_000_000_000_000_000,
            took: 1_000_000,
            failed: false,
            path: "/cart/1",
        }
    }
}

pub(super) fn trace_id(number: u64) -> TraceId {
    let mut id = [7; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    TraceId(id)
}

/// A span of this shape.
pub(super) fn span(shape: &Shape<'_>) -> Span {
    let code = if shape.failed { 500 } else { 200 };
    Span {
        trace_id: trace_id(shape.trace),
        span_id: SpanId(shape.id.to_be_bytes()),
        parent: (shape.parent != 0).then(|| SpanId(shape.parent.to_be_bytes())),
        trace_state: None,
        kind: shape.kind,
        name: shape.name.to_owned(),
        start: shape.start,
        end: shape.start + shape.took,
        status: if shape.failed { Status::Error(None) } else { Status::Unset },
        attributes: vec![
            ("http.request.method".into(), "GET".into()),
            ("http.response.status_code".into(), Value::Int(code)),
            ("url.path".into(), shape.path.to_owned().into()),
            ("tracer.parent.confidence".into(), Value::Double(0.98)),
        ],
        events: vec![],
        links: vec![],
        resource: Arc::new(Resource {
            service: shape.service.into(),
            attributes: vec![("host.name".into(), "box".into())],
        }),
        local: Endpoint {
            service: Some(shape.service.into()),
            address: Some([127, 0, 0, 1].into()),
            port: 8080,
        },
        remote: Endpoint { service: shape.remote.map(Into::into), address: None, port: 0 },
    }
}

/// A span with everything that a span can have.
pub(super) fn full() -> Span {
    let mut full = span(&Shape { remote: Some("front"), parent: 9, ..Shape::default() });
    let list = Value::Texts(vec!["a".into(), "b".into()]);
    full.status = Status::Error(Some("reset by peer".into()));
    full.trace_state = Some("v=1".into());
    full.attributes.extend([
        ("list".into(), list.clone()),
        ("yes".into(), true.into()),
        ("nan".into(), f64::INFINITY.into()),
    ]);
    let attributes = vec![("why".into(), list)];
    full.events = vec![Event { time: 5, name: "retry".into(), attributes: attributes.clone() }];
    full.links = vec![Link { trace_id: TraceId([3; 16]), span_id: SpanId([4; 8]), attributes }];
    full.remote.address = Some("2001:db8::1".parse().unwrap());
    full
}

/// So many spans, each of its own trace, a millisecond apart.
pub(super) fn spans(count: u64) -> Vec<Arc<Span>> {
    let start = Shape::default().start;
    let shape = |n| Shape { trace: n, id: n, start: start + n * 1_000_000, ..Shape::default() };
    (1..=count).map(|n| Arc::new(span(&shape(n)))).collect()
}

/// A trace's spans; none if it is not there.
pub(super) fn spans_of(store: &Store, id: TraceId) -> Vec<Arc<Span>> {
    store.snapshot().trace(id).map(|trace| trace.spans).unwrap_or_default()
}
