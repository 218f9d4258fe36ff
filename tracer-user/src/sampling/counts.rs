//! What became of traces.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Why a trace was kept, if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Failed,
    Slow,
    Rest,
    LeftOut,
}

/// Since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    chooses: AtomicBool,
    failed: AtomicU64,
    slow: AtomicU64,
    rest: AtomicU64,
    left_out: AtomicU64,
    left_out_spans: AtomicU64,
    early: AtomicU64,
}

/// What became of traces since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Not all traces are kept at this time.
    pub chooses: bool,
    /// Traces that were kept because something failed in them.
    pub failed: u64,
    /// The same because they are slow for their route.
    pub slow: u64,
    /// The same as a share of the others.
    pub rest: u64,
    /// Traces that were not kept.
    pub left_out: u64,
    /// Their spans.
    pub left_out_spans: u64,
    /// Traces that were decided before they were waited for long enough, because too many were open.
    pub early: u64,
}

impl Counts {
    pub(super) fn chooses(&self, chooses: bool) {
        self.chooses.store(chooses, Relaxed);
    }

    pub(super) fn decided(&self, reason: Reason) {
        let count = match reason {
            Reason::Failed => &self.failed,
            Reason::Slow => &self.slow,
            Reason::Rest => &self.rest,
            Reason::LeftOut => &self.left_out,
        };
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn left_out(&self, spans: u64) {
        self.left_out_spans.fetch_add(spans, Relaxed);
    }

    pub(super) fn early(&self) {
        self.early.fetch_add(1, Relaxed);
    }
}

/// Looks at the counts, as long as it likes.
#[derive(Clone, Debug, Default)]
pub struct Observer(pub(super) Arc<Counts>);

impl Observer {
    /// The counts as they are now.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let of = |count: &AtomicU64| count.load(Relaxed);
        let it = &*self.0;
        Tally {
            chooses: it.chooses.load(Relaxed),
            failed: of(&it.failed),
            slow: of(&it.slow),
            rest: of(&it.rest),
            left_out: of(&it.left_out),
            left_out_spans: of(&it.left_out_spans),
            early: of(&it.early),
        }
    }
}

impl Tally {
    /// Traces that were chosen.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.failed + self.slow + self.rest
    }
}
