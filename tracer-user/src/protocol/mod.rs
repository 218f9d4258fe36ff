//! Protocols: from the bytes of one connection to requests, responses and what they say.

mod fault;
pub mod http1;
pub mod http2;
pub mod propagation;
pub mod redact;
pub mod route;
pub mod telemetry;
pub mod tls;
pub mod websocket;

pub use fault::Fault;
