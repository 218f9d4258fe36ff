//! The web page, its APIs and /metrics: one HTTP server on an address that is loopback unless told
//! otherwise.
//!
//! ```text
//! connection -> limits -> guard: Host, Origin, token -> router: page, api, metrics, health, ...
//! ```
//!
//! All traffic of the host can be seen here, so the [`guard`] asks whoever comes for the token,
//! but for /healthz and /readyz. A new API is a file with a `router` and one line in [`router`].

mod guard;
mod health;
mod hosts;
mod metrics;
mod server;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;

pub use server::{BindError, Listener, Server};
pub use token::{Token, TokenError};

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
}

/// Everything that is served, without its guard.
fn router(sources: &Sources) -> Router {
    health::router(sources.vitals.clone()).merge(metrics::router(sources))
}
