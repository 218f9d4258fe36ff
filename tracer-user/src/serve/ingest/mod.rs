//! Spans that services make themselves, by OTLP/HTTP and Zipkin's version 2: they complete the trees
//! of the tracer's own. They are kept for the page and the query APIs, and nothing else is made of
//! them: the tracer sees the same requests, so rates and exports would count them twice.

mod body;
mod otlp;
mod value;
mod zipkin;

use axum::Router;
use axum::routing::post;
use tokio::sync::Semaphore;

use super::Sources;

/// Bodies that are read and unpacked at once; each may take [`body::MAX_UNPACKED`], and some times
/// that as spans.
static PLACES: Semaphore = Semaphore::const_new(4);

/// POST /v1/traces and POST /api/v2/spans.
pub(super) fn router(sources: &Sources) -> Router {
    Router::new()
        .route("/v1/traces", post(otlp::take))
        .route("/api/v2/spans", post(zipkin::take))
        .with_state(sources.clone())
}

#[cfg(test)]
mod tests;
