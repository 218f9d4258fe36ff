//! The page's own JSON, below /ui: nobody else's, and it may change with the page.

mod map;
mod names;
mod span;
mod state;
mod trace;
mod traces;

use axum::Router;
use axum::routing::get;

use super::Sources;

/// Everything that the page asks for.
pub(super) fn router(sources: &Sources) -> Router {
    Router::new()
        .route("/ui/state", get(state::state))
        .route("/ui/map", get(map::map))
        .route("/ui/names", get(names::names))
        .route("/ui/traces", get(traces::traces))
        .route("/ui/trace/{id}", get(trace::page))
        .route("/ui/trace/{id}/otlp", get(trace::otlp))
        .route("/ui/trace/{id}/zipkin", get(trace::zipkin))
        .with_state(sources.clone())
}

#[cfg(test)]
mod tests;
