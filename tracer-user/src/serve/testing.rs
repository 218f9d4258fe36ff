//! Spans and what is served, to test with.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use tower::ServiceExt as _;

use super::{Intake as _, Recent, Sources};
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

/// Two traces of a service: a call to the cart that failed, changed as wanted, and one of its own.
pub(super) fn two_traces(front: &str, change: impl FnOnce(&mut Span)) -> Arc<Recent> {
    let recent = Arc::new(Recent::default());
    let mut called = (*span(1, 2, Some(1), "cart", "GET /cart/{id}", 5, 20, 500)).clone();
    change(&mut called);
    recent.put(&[
        span(1, 1, None, front, "GET /", 1, 30, 200),
        Arc::new(called),
        span(2, 3, None, front, "POST /buy", 50, 3, 200),
    ]);
    recent
}

/// Status and body of an answer.
pub(super) async fn ask(router: &Router, path: &str) -> (u16, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    told(router.clone().oneshot(request).await.unwrap()).await
}

/// The same of a response that is there.
pub(super) async fn told(response: Response<Body>) -> (u16, Vec<u8>) {
    let status = response.status().as_u16();
    (status, to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec())
}

/// Of a tracer that has seen nothing, with these traces.
pub(super) fn sources(traces: &Arc<Recent>) -> Sources {
    let vitals = Arc::<Vitals>::default();
    let health = Health {
        vitals: vitals.clone(),
        exporters: Default::default(),
        probes: ProbeRuns::default(),
        store: None,
        sampling: None,
    };
    Sources {
        metrics: Metrics::new(health),
        vitals,
        exporters: Default::default(),
        traces: traces.clone(),
        intake: traces.clone(),
        sampling: None,
        chosen: false,
    }
}
