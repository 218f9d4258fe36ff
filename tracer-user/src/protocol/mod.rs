//! Protocols: from the bytes of one connection to requests, responses and what they say.

pub mod backing;
mod fault;
pub mod http1;
pub mod http2;
pub mod http_api;
pub mod propagation;
pub mod redact;
pub mod route;
pub mod telemetry;
pub mod tls;
pub mod websocket;

pub use fault::Fault;

/// Which protocols are followed, and what of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protocols {
    /// Of HTTP.
    pub http1: http1::Limits,
    /// Of backing services.
    pub backing: backing::Settings,
}
