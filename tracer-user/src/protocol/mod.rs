//! Protocols: from the bytes of one connection to requests, responses and what they say.

pub mod http1;
pub mod propagation;
pub mod redact;
pub mod route;
pub mod telemetry;
