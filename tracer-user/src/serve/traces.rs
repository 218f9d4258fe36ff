//! Where the page's traces come from.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::store::{Dependency, Findings, Query, Stats, Store};
use crate::trace::{Kind, Span, TraceId};

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

/// Something that holds traces. Its functions may take a while, and block the thread.
pub trait Traces: Send + Sync {
    /// Takes finished spans.
    fn put(&self, spans: &[Arc<Span>]);
    /// The traces that fit.
    fn find(&self, query: &Query) -> Findings;
    /// The spans of several, in no order; those that are not known have none.
    fn traces(&self, ids: &[TraceId]) -> Vec<Arc<Span>>;
    /// The spans of one.
    fn trace(&self, id: TraceId) -> Vec<Arc<Span>> {
        self.traces(&[id])
    }
    /// How much there is.
    fn held(&self) -> Held;
    /// The services that spans are of, sorted.
    fn services(&self) -> Vec<String>;
    /// The names of a service's spans, sorted.
    fn operations(&self, service: &str) -> Vec<String>;
    /// The same, with the kinds that spans of a name have.
    fn kinds(&self, service: &str) -> Vec<(String, Kind)>;
    /// The services that a service's spans are connected with, sorted.
    fn remote_services(&self, service: &str) -> Vec<String>;
    /// Who called whom in spans that start in this range of nanoseconds since the Unix epoch.
    fn dependencies(&self, range: RangeInclusive<u64>) -> Vec<Dependency>;
    /// The keys of attributes, sorted.
    fn keys(&self) -> Vec<String>;
    /// The values of an attribute, sorted; of one with very many, some.
    fn values(&self, key: &str) -> Vec<String>;
}

impl Traces for Store {
    fn put(&self, spans: &[Arc<Span>]) {
        Store::put(self, spans);
    }

    fn find(&self, query: &Query) -> Findings {
        Store::find(self, query)
    }

    fn traces(&self, ids: &[TraceId]) -> Vec<Arc<Span>> {
        Store::traces(self, ids)
    }

    fn held(&self) -> Held {
        let stats = self.stats();
        let Stats { spans, bytes, oldest, limits, lost, last_trouble: trouble, .. } = stats;
        Held { spans, bytes, limit: limits.bytes, oldest, lasting: true, lost, trouble }
    }

    fn services(&self) -> Vec<String> {
        Store::services(self)
    }

    fn operations(&self, service: &str) -> Vec<String> {
        Store::operations(self, service)
    }

    fn kinds(&self, service: &str) -> Vec<(String, Kind)> {
        Store::kinds(self, service)
    }

    fn remote_services(&self, service: &str) -> Vec<String> {
        Store::remote_services(self, service)
    }

    fn dependencies(&self, range: RangeInclusive<u64>) -> Vec<Dependency> {
        Store::dependencies(self, range)
    }

    fn keys(&self) -> Vec<String> {
        Store::keys(self)
    }

    fn values(&self, key: &str) -> Vec<String> {
        Store::values(self, key)
    }
}
