//! Rates, errors and durations of what was traced, and the tracer's own health.
//!
//! ```text
//! Feed::send -> queue -> thread: Metrics::record -> red, graph (since the start, for Prometheus)
//!                  |                             -> live       (the last minutes, for the page)
//!                  +-- full: not counted in them, but counted as lost
//! ```
//!
//! What distinguishes series comes from traffic, so their number is bounded: the rest goes under
//! `other`.

mod bound;
mod facts;
mod graph;
mod live;
mod own;
mod probes;
mod red;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

pub use live::{Call, Map, Node, Red as Rates, Route};
pub use own::Health;
pub use probes::ProbeRuns;

use crate::trace::Span;
use bound::Folded;
use facts::Facts;
use graph::Graph;
use live::Live;
use red::Red;

/// All metrics; clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    red: Red,
    graph: Graph,
    folded: Folded,
    received: Family<[(&'static str, &'static str); 2], Counter>,
    live: Mutex<Live>,
}

impl Metrics {
    /// None so far; `health` is asked each time that somebody wants them.
    #[must_use]
    pub fn new(health: Health) -> Self {
        let mut registry = Registry::default();
        let folded = Folded::default();
        let red = Red::register(&mut registry);
        let graph = Graph::register(&mut registry);
        registry.register(
            "tracer_metrics_folded",
            "Observations that went under `other`, because there are too many series",
            folded.clone(),
        );
        let received = Family::default();
        registry.register(
            "tracer_received_spans",
            "Spans that services sent themselves",
            received.clone(),
        );
        registry.register_collector(Box::new(health));
        let live = Mutex::default();
        Self(Arc::new(Inner { registry, red, graph, folded, received, live }))
    }

    /// Takes finished spans.
    pub fn record(&self, spans: &[Arc<Span>]) {
        let inner = &*self.0;
        let now = Instant::now();
        let mut live = inner.live.lock().unwrap_or_else(PoisonError::into_inner);
        for span in spans {
            let Some(facts) = Facts::of(span) else { continue };
            inner.red.observe(&facts, &inner.folded);
            inner.graph.observe(&facts, &inner.folded);
            live.observe(&facts, now);
        }
    }

    /// Spans came in from outside; `rejected` more could not be taken.
    pub fn received(&self, format: &'static str, taken: u64, rejected: u64) {
        for (result, count) in [("taken", taken), ("rejected", rejected)] {
            if count > 0 {
                let labels = [("format", format), ("result", result)];
                self.0.received.get_or_create(&labels).inc_by(count);
            }
        }
    }

    /// In OpenMetrics' text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail, and the collectors fail in nothing else.
        let _ = encode(&mut text, &self.0.registry);
        text
    }

    /// Services and their calls of the last `window`; of no more than [`live::KEPT`].
    #[must_use]
    pub fn map(&self, window: Duration) -> Map {
        let live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.map(Instant::now(), window)
    }
}

#[cfg(test)]
mod tests;
