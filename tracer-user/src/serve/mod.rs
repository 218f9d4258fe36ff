//! The web page, its APIs and /metrics: one HTTP server on an address that is loopback unless told
//! otherwise.
//!
//! ```text
//! connection -> limits -> guard: Host, Origin, token -> router: page, api, metrics, health, ...
//! ```
//!
//! All traffic of the host can be seen here, so the [`guard`] asks whoever comes for the token,
//! but for /healthz and /readyz. A new API is a file with a `router` and one line in [`router`].

mod api;
mod guard;
mod health;
mod hosts;
mod ingest;
mod jaeger_api;
mod metrics;
mod page;
mod recent;
mod server;
mod stream;
#[cfg(test)]
mod testing;
mod token;
mod traces;
mod zipkin_api;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;

pub use recent::Recent;
pub use server::{BindError, Listener, Server};
pub use token::{Token, TokenError};
pub use traces::{Held, Intake, Traces};

use crate::export::Observer;
use crate::metrics::Metrics;
use crate::sampling;
use crate::stats::Vitals;
use crate::trace::Span;

/// Where the page is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The address to listen on.
    pub address: SocketAddr,
    /// Somebody asked for this address: if it is taken, that is an error.
    pub chosen: bool,
    /// No token is asked for.
    pub open: bool,
}

/// What the APIs tell about.
#[derive(Clone)]
pub struct Sources {
    /// Rates, errors and durations.
    pub metrics: Metrics,
    /// How the tracer itself is.
    pub vitals: Arc<Vitals>,
    /// How its exporters are.
    pub exporters: Observer,
    /// Finished traces.
    pub traces: Arc<dyn Traces>,
    /// Where spans go that services send.
    pub intake: Arc<dyn Intake>,
    /// What is sampled of all that is stored, if anything may be.
    pub sampling: Option<sampling::Observer>,
    /// Filters choose what is traced.
    pub chosen: bool,
}

impl Sources {
    /// Keeps spans that came in this format; `rejected` more could not be taken.
    fn take(&self, format: &'static str, spans: &[Arc<Span>], rejected: u64) {
        self.metrics.received(format, spans.len() as u64, rejected);
        self.intake.put(spans);
    }
}

/// Searches at a time: each may take tens of megabytes.
static SEARCHES: Semaphore = Semaphore::const_new(2);

/// A look at the traces that are held, when there is a place for it.
async fn reading<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    // It is never closed.
    let place = SEARCHES.acquire().await.ok();
    // Whoever does not wait for the answer leaves the work its place until it is done.
    let work = move || {
        let _place = place;
        work()
    };
    blocking(work).await
}

/// What may block the thread, on one that may be blocked.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    let failed = "The tracer could not do that; its log says more.\n";
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, failed).into_response())
}

/// Everything that is served, without its guard.
fn router(sources: &Sources) -> Router {
    health::router(sources.vitals.clone())
        .merge(metrics::router(sources))
        .merge(api::router(sources))
        .merge(ingest::router(sources))
        .merge(zipkin_api::router(sources))
        .merge(jaeger_api::router(sources))
        .merge(page::router())
}
