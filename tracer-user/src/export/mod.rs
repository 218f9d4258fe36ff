//! Spans leave the tracer here. Each [`Target`] has a bounded queue, a task that sends from it
//! in batches, and counters; so one backend's trouble never slows another, nor the pipeline.
//!
//! ```text
//! Exporters::send -> queue -> worker: batch -> sink.encode -> sink.deliver -> verdict
//!                      |                           ^                             |
//!                      +-- full: dropped, counted  +--------- again, split ------+
//! ```
//!
//! A new format is a file with a `Sink`, a [`Kind`], and one line in `exporters.rs`.

use std::sync::Arc;

use crate::trace::Span;

mod counters;
mod endpoint;
mod env;
mod exporters;
mod file;
mod http;
mod otlp;
mod otlp_grpc;
mod otlp_http;
mod queue;
mod secure;
mod settings;
mod sink;
mod target;
mod text;
mod trees;
mod worker;
mod writer;
mod zipkin;
mod zipkin_http;

#[cfg(test)]
mod testing;

pub use counters::Summary;
pub use env::targets_from_env;
pub use exporters::{Exporters, Observer, Problem, StartError};
pub(crate) use queue::weigh;
pub use queue::{Weighed, weighed};
pub use secure::TlsError;
pub use settings::Settings;
pub use target::{Kind, Target, TargetError, Tls};

/// Spans as one OTLP request in JSON.
pub(crate) fn otlp_json(spans: &[Arc<Span>]) -> Vec<u8> {
    // What is made of numbers and texts can be written.
    serde_json::to_vec(&otlp::request(spans)).unwrap_or_default()
}

/// Spans as Zipkin's list, version 2.
pub(crate) fn zipkin_json(spans: &[Arc<Span>]) -> Vec<u8> {
    zipkin::json(spans).0
}
