//! Where the page's traces come from.

use std::sync::Arc;

use crate::trace::{Span, TraceId};

/// Traces with a span for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The span's service.
    pub service: Option<String>,
    /// The span's name (`GET /cart/{id}`), or its route alone.
    pub name: Option<String>,
    /// Nanoseconds that the span takes at least.
    pub min_duration: Option<u64>,
    /// At most.
    pub max_duration: Option<u64>,
    /// The span failed.
    pub errors: bool,
    /// The trace starts no sooner; nanoseconds since the Unix epoch.
    pub from: Option<u64>,
    /// No later.
    pub to: Option<u64>,
    /// Words that all occur in the span's name, service, peer or values of attributes.
    pub text: Option<String>,
    /// Most traces to find; the newest are.
    pub limit: usize,
}

/// A trace in short, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub trace_id: TraceId,
    /// Service and name of its first span without a parent; of its first span if all have one.
    pub root_service: String,
    /// The same span's.
    pub root_name: String,
    /// Whether that span is without a parent.
    pub has_root: bool,
    /// When its first span starts, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// Nanoseconds from then to the end of its last.
    pub duration: u64,
    /// Its spans.
    pub spans: u32,
    /// Those that failed.
    pub errors: u32,
    /// Each service, with its spans.
    pub services: Vec<(String, u32)>,
}

/// The traces that a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The newest first.
    pub traces: Vec<Found>,
    /// `false` if it took too long: older ones may be missing.
    pub complete: bool,
}

/// What is held of traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Spans.
    pub spans: u64,
    /// Bytes that they take, about.
    pub bytes: u64,
    /// Bytes that they may take.
    pub limit: u64,
    /// When the oldest started, in nanoseconds since the Unix epoch.
    pub oldest: Option<u64>,
    /// They are kept when the tracer ends.
    pub lasting: bool,
}

/// Something that holds traces. Its functions may take a while, and block the thread.
pub trait Traces: Send + Sync {
    /// Takes finished spans.
    fn put(&self, spans: &[Arc<Span>]);
    /// The traces that fit.
    fn find(&self, query: &Query) -> Findings;
    /// The spans of one, in no order; empty if it is not known.
    fn trace(&self, id: TraceId) -> Vec<Arc<Span>>;
    /// How much there is.
    fn held(&self) -> Held;
}
