//! Everything that takes finished spans from the capture thread. None of it makes that wait.

use std::sync::Arc;

use crate::config::Sampled;
use crate::export::{Exporters, weighed};
use crate::feed::Feed;
use crate::sampling::Gate;
use crate::store::Store;
use crate::trace::Span;

/// Where spans go.
pub(super) struct Outlets {
    pub(super) exporters: Arc<Exporters>,
    pub(super) metrics: Option<Feed<Arc<Span>>>,
    pub(super) store: Option<Arc<Store>>,
    /// Between here and what `sampled` names, if anything.
    pub(super) gate: Option<Arc<Gate>>,
    pub(super) sampled: Sampled,
}

impl Outlets {
    /// Hands spans to each; how many they were.
    pub(super) fn send(&self, spans: Vec<Arc<Span>>) -> u64 {
        let spans = weighed(spans);
        if let Some(metrics) = &self.metrics {
            metrics.send(spans.iter().cloned());
        }
        if let Some(gate) = &self.gate {
            gate.send(&spans, false);
        }
        let gated = self.gate.is_some();
        if let Some(store) = self.store.as_ref().filter(|_| !(gated && self.sampled.store())) {
            store.put_weighed(&spans);
        }
        if !(gated && self.sampled.exports()) {
            self.exporters.send(&spans);
        }
        spans.len() as u64
    }

    /// Ends the threads between here and the exporters, which have all spans then.
    pub(super) fn close(self) -> Arc<Exporters> {
        // The page may still have them.
        self.metrics.iter().for_each(Feed::close);
        self.gate.iter().for_each(|gate| gate.close());
        self.exporters
    }

    /// What did not fit, by name; the exporters have balances of their own.
    pub(super) fn losses(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let metrics = self.metrics.iter().flat_map(Feed::losses);
        metrics.chain(self.gate.iter().flat_map(|gate| gate.losses()))
    }
}
