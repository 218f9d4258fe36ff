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
mod metrics;
mod page;
mod recent;
mod server;
#[cfg(test)]
mod testing;
mod token;
mod traces;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;

pub use recent::Recent;
pub use server::{BindError, Listener, Server};
pub use token::{Token, TokenError};
pub use traces::{Findings, Found, Held, Query, Traces};

use crate::export::Observer;
use crate::metrics::Metrics;
use crate::stats::Vitals;

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
    /// Filters choose what is traced.
    pub chosen: bool,
}

/// Everything that is served, without its guard.
fn router(sources: &Sources) -> Router {
    health::router(sources.vitals.clone())
        .merge(metrics::router(sources))
        .merge(api::router(sources))
        .merge(page::router())
}
