//! What became of the spans that were given to one exporter.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why spans were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The queue was full; the backend is away or too slow.
    QueueFull,
    /// The backend refused the batch for good.
    Refused,
    /// The backend took the batch, but not these.
    Rejected,
    /// A single span was more than the backend takes.
    TooLarge,
    /// The span has no valid form in this format.
    Invalid,
    /// The backend kept answering with errors.
    GaveUp,
    /// The file or standard output could not be written.
    WriteFailed,
    /// The tracer stopped before they could be sent.
    Unsent,
}

impl Reason {
    const ALL: [(Reason, &'static str); 8] = [
        (Reason::QueueFull, "queue full"),
        (Reason::Refused, "refused by the backend"),
        (Reason::Rejected, "rejected in part by the backend"),
        (Reason::TooLarge, "too large for the backend"),
        (Reason::Invalid, "not valid in this format"),
        (Reason::GaveUp, "backend kept failing"),
        (Reason::WriteFailed, "write failed"),
        (Reason::Unsent, "unsent when the tracer stopped"),
    ];
}

/// Counts of one exporter, all in spans.
#[derive(Debug, Default)]
pub(super) struct Counters {
    given: AtomicU64,
    exported: AtomicU64,
    dropped: [AtomicU64; Reason::ALL.len()],
    trouble: Mutex<Option<String>>,
}

impl Counters {
    pub(super) fn given(&self, spans: u64) {
        self.given.fetch_add(spans, Relaxed);
    }

    pub(super) fn exported(&self, spans: u64) {
        self.exported.fetch_add(spans, Relaxed);
    }

    pub(super) fn dropped(&self, reason: Reason, spans: u64) {
        if let Some(count) = self.dropped.get(reason as usize) {
            count.fetch_add(spans, Relaxed);
        }
    }

    /// Notes what last went wrong, for the summary.
    pub(super) fn trouble(&self, what: String) {
        *self.trouble.lock().unwrap_or_else(|e| e.into_inner()) = Some(what);
    }

    /// Counts as unsent whatever was given and not counted otherwise. Taking the difference,
    /// rather than looking for what is left, keeps the sum right even if a worker panicked.
    pub(super) fn settle(&self) {
        let seen = self.summary(String::new());
        self.dropped(Reason::Unsent, seen.waiting);
    }

    pub(super) fn summary(&self, name: String) -> Summary {
        // `given` is read last: a span that is counted meanwhile must not make `waiting` negative.
        let exported = self.exported.load(Relaxed);
        let dropped_by_reason: Vec<_> = Reason::ALL
            .iter()
            .zip(&self.dropped)
            .map(|((_, name), count)| (*name, count.load(Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let dropped: u64 = dropped_by_reason.iter().map(|(_, count)| count).sum();
        let given = self.given.load(Relaxed);
        Summary {
            name,
            exported,
            waiting: given.saturating_sub(exported + dropped),
            dropped_by_reason,
            last_error: self.trouble.lock().unwrap_or_else(|e| e.into_inner()).clone(),
        }
    }
}

/// An exporter's balance: each span it was given is exported, waiting or dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The target's name, free of secrets.
    pub name: String,
    /// Spans that the backend accepted.
    pub exported: u64,
    /// Spans in the queue or on their way; 0 after shutdown.
    pub waiting: u64,
    /// Spans that were lost, by the name of the reason; only reasons that occurred.
    pub dropped_by_reason: Vec<(&'static str, u64)>,
    /// What last went wrong, if anything did; it may have been overcome.
    pub last_error: Option<String>,
}

impl Summary {
    /// Spans that were lost for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_by_reason.iter().map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_listed_at_their_own_index() {
        for (index, (reason, _)) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
        }
    }

    #[test]
    fn settling_balances_the_books() {
        let counters = Counters::default();
        counters.given(10);
        counters.exported(4);
        counters.dropped(Reason::Refused, 1);
        assert_eq!(counters.summary("x".into()).waiting, 5);
        counters.settle();
        let summary = counters.summary("x".into());
        assert_eq!(summary.waiting, 0);
        assert_eq!(
            summary.dropped_by_reason,
            [("refused by the backend", 1), ("unsent when the tracer stopped", 5)]
        );
        assert_eq!(summary.dropped(), 6);
    }
}
