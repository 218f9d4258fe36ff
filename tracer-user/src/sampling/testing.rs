//! Spans to test with.

use std::sync::Arc;

use super::sampler::Came;
use crate::export::weigh;
use crate::trace::{Endpoint, Kind, Resource, Span, SpanId, Status, TraceId};

/// 1 ms of `GET /` of the service `shop`; the only span of its trace.
pub(super) fn span(trace: u128) -> Span {
    let end = Endpoint { service: None, address: None, port: 0 };
    Span {
        trace_id: TraceId(trace.to_be_bytes()),
        span_id: SpanId([1; 8]),
        parent: None,
        trace_state: None,
        kind: Kind::Server,
        name: "GET /".to_owned(),
        start: 1_000_000_000,
        end: 1_001_000_000,
        status: Status::Unset,
        attributes: vec![],
        events: vec![],
        links: vec![],
        resource: Arc::new(Resource { service: "shop".into(), attributes: vec![] }),
        local: end.clone(),
        remote: end,
    }
}

/// The tracer made it.
pub(super) fn came(span: Span) -> Came {
    let weight = weigh(&span);
    Came { span: (Arc::new(span), weight), outside: false }
}
