//! Zipkin's query API, version 2, so that its own page and Grafana's data source work against the
//! tracer. <https://zipkin.io/zipkin-api/>; where it leaves something open, as zipkin-server 3.6.1
//! answers. It is below /zipkin as well, as there.

mod lists;
mod search;
mod traces;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::Sources;

/// The API.
pub(super) fn router(sources: &Sources) -> Router {
    let api = Router::new()
        .route("/api/v2/services", get(lists::services))
        .route("/api/v2/spans", get(lists::spans))
        .route("/api/v2/remoteServices", get(lists::remote_services))
        .route("/api/v2/dependencies", get(lists::dependencies))
        .route("/api/v2/autocompleteKeys", get(lists::keys))
        .route("/api/v2/autocompleteValues", get(lists::values))
        .route("/api/v2/traces", get(traces::traces))
        .route("/api/v2/traceMany", get(traces::many))
        .route("/api/v2/trace/{id}", get(traces::one))
        .with_state(sources.clone());
    Router::new().nest("/zipkin", api.clone()).merge(api)
}

fn wrong(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response()
}

fn json(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests;
