//! Where the page's traces come from.

use std::sync::Arc;

use crate::export::weighed;
use crate::sampling::Gate;
use crate::store::{Snapshot, Stats, Store};
use crate::trace::Span;

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
    /// Spans that could not be kept, by name; only losses that occurred.
    pub lost: Vec<(&'static str, u64)>,
    /// What last went wrong, if anything did.
    pub trouble: Option<String>,
}

/// Something that takes finished spans that services sent.
pub trait Intake: Send + Sync {
    /// Takes them.
    fn put(&self, spans: &[Arc<Span>]);
}

/// Something that holds traces.
pub trait Traces: Send + Sync {
    /// Those that it holds now.
    fn snapshot(&self) -> Snapshot;
    /// How much there is.
    fn held(&self) -> Held;
}

impl Intake for Store {
    fn put(&self, spans: &[Arc<Span>]) {
        Store::put(self, spans);
    }
}

impl Intake for Gate {
    fn put(&self, spans: &[Arc<Span>]) {
        self.send(&weighed(spans.iter().cloned()), true);
    }
}

impl Traces for Store {
    fn snapshot(&self) -> Snapshot {
        Store::snapshot(self)
    }

    fn held(&self) -> Held {
        let stats = self.stats();
        let Stats { spans, bytes, oldest, limits, lost, last_trouble: trouble, .. } = stats;
        Held { spans, bytes, limit: limits.bytes, oldest, lasting: true, lost, trouble }
    }
}
