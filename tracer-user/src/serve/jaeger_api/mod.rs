//! The query API of Jaeger's page, so that Grafana's Jaeger data source and scripts work against the
//! tracer. It is no documented contract; this is how jaeger-query 1.76 answers
//! (<https://www.jaegertracing.io/docs/1.76/architecture/apis/#http-json>).

mod lists;
mod span;
mod traces;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;

use super::Sources;

/// The API.
pub(super) fn router(sources: &Sources) -> Router {
    Router::new()
        .route("/api/services", get(lists::services))
        .route("/api/services/{service}/operations", get(lists::names))
        .route("/api/operations", get(lists::operations))
        .route("/api/dependencies", get(lists::dependencies))
        .route("/api/traces", get(traces::traces))
        .route("/api/traces/{id}", get(traces::one))
        .with_state(sources.clone())
}

/// Around every answer.
#[derive(Serialize)]
struct Answer<T> {
    data: Option<Vec<T>>,
    total: usize,
    limit: usize,
    offset: usize,
    errors: Option<Vec<Wrong>>,
}

#[derive(Serialize)]
struct Wrong {
    code: u16,
    msg: String,
}

fn answer<T: Serialize>(data: Vec<T>) -> Response {
    let total = data.len();
    told(Some(data), total)
}

fn told<T: Serialize>(data: Option<Vec<T>>, total: usize) -> Response {
    Json(Answer { data, total, limit: 0, offset: 0, errors: None }).into_response()
}

fn wrong(status: StatusCode, why: impl ToString) -> Response {
    let errors = Some(vec![Wrong { code: status.as_u16(), msg: why.to_string() }]);
    let answer = Answer::<()> { data: None, total: 0, limit: 0, offset: 0, errors };
    (status, Json(answer)).into_response()
}

#[cfg(test)]
mod tests;
