//! Spans and what is served, to test with.

use std::sync::Arc;

use super::{Recent, Sources};
use crate::metrics::{Health, Metrics, ProbeRuns};
use crate::stats::Vitals;
use crate::trace::{Endpoint, Kind, Resource, Span, SpanId, Status, TraceId, Value};

/// A SERVER span; ids are their last byte, times are in milliseconds.
#[expect(clippy::too_many_arguments, reason = "a table's columns")]
pub(super) fn span(
    trace: u8,
    id: u64,
    parent: Option<u64>,
    service: &str,
    name: &str,
    start: u64,
    took: u64,
    status: i64,
) -> Arc<Span> {
    let end = Endpoint { service: None, address: None, port: 0 };
    Arc::new(Span {
        trace_id: TraceId(u128::from(trace).to_be_bytes()),
        span_id: SpanId(id.to_be_bytes()),
        parent: parent.map(|parent| SpanId(parent.to_be_bytes())),
        trace_state: None,
        kind: Kind::Server,
        name: name.to_owned(),
        start: start * 1_000_000,
        end: (start + took) * 1_000_000,
        status: if status >= 500 { Status::Error(None) } else { Status::Unset },
        attributes: vec![("http.response.status_code".into(), Value::Int(status))],
        events: vec![],
        links: vec![],
        resource: Arc::new(Resource { service: service.into(), attributes: vec![] }),
        local: end.clone(),
        remote: end,
    })
}

/// Of a tracer that has seen nothing, with these traces.
pub(super) fn sources(traces: &Arc<Recent>) -> Sources {
    let vitals = Arc::<Vitals>::default();
    let health = Health {
        vitals: vitals.clone(),
        exporters: Default::default(),
        probes: ProbeRuns::default(),
        store: None,
    };
    Sources {
        metrics: Metrics::new(health),
        vitals,
        exporters: Default::default(),
        traces: traces.clone(),
        chosen: false,
    }
}
