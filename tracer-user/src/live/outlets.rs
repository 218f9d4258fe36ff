//! Everything that takes finished spans from the capture thread. None of it makes that wait.

use std::sync::Arc;

use crate::export::Exporters;
use crate::metrics::Feed;
use crate::store::Store;
use crate::trace::Span;

/// Where spans go.
pub(super) struct Outlets {
    pub(super) exporters: Exporters,
    pub(super) metrics: Option<Feed>,
    pub(super) store: Option<Arc<Store>>,
}

impl Outlets {
    /// Hands spans to each; how many they were.
    pub(super) fn send(&self, spans: Vec<Arc<Span>>) -> u64 {
        let count = spans.len() as u64;
        if let Some(metrics) = &self.metrics {
            metrics.send(&spans);
        }
        if let Some(store) = &self.store {
            store.put(&spans);
        }
        self.exporters.send(spans);
        count
    }

    /// What did not fit, by name; the exporters have balances of their own.
    pub(super) fn losses(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.metrics.iter().flat_map(Feed::losses)
    }
}
