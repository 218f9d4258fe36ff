//! /metrics.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::Sources;

/// OpenMetrics 1.0, which Prometheus takes as it is.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// /metrics: everything that is counted, for Prometheus.
pub(super) fn router(sources: &Sources) -> Router {
    Router::new().route("/metrics", get(text)).with_state(sources.clone())
}

async fn text(State(sources): State<Sources>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT)], sources.metrics.text())
}
