//! /healthz and /readyz.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use crate::stats::Vitals;

/// /healthz: the server answers. /readyz: the probes are attached, and the capture thread has
/// been heard of of late.
pub(super) fn router(vitals: Arc<Vitals>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(vitals)
}

async fn ready(State(vitals): State<Arc<Vitals>>) -> (StatusCode, &'static str) {
    match vitals.is_live() {
        true => (StatusCode::OK, "ok\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not tracing\n"),
    }
}
