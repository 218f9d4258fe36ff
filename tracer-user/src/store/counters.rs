//! What became of the spans that were given to the store.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Something lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Spans that the queue had no room for: the disk or the machine is too slow.
    QueueFull,
    /// Spans that could not be written: the disk is full, or broken.
    WriteFailed,
    /// Blocks that could not be read, each time that one was needed.
    Unreadable,
    /// Files that were set aside.
    SetAside,
}

impl Loss {
    const ALL: [(Loss, &'static str); 4] = [
        (Loss::QueueFull, "store_queue_full"),
        (Loss::WriteFailed, "store_write_failed"),
        (Loss::Unreadable, "store_unreadable"),
        (Loss::SetAside, "store_set_aside"),
    ];
}

/// Counts since the store was opened.
#[derive(Debug, Default)]
pub(super) struct Counters {
    lost: [AtomicU64; Loss::ALL.len()],
    stored: AtomicU64,
    removed: AtomicU64,
    used: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Counters {
    pub(super) fn lost(&self, loss: Loss, count: u64) {
        if let Some(lost) = self.lost.get(loss as usize) {
            lost.fetch_add(count, Relaxed);
        }
    }

    /// Spans that are on the disk now.
    pub(super) fn stored(&self, spans: u64) {
        self.stored.fetch_add(spans, Relaxed);
    }

    /// Spans that went because of a limit.
    pub(super) fn removed(&self, spans: u64) {
        self.removed.fetch_add(spans, Relaxed);
    }

    /// Bytes that all files take now.
    pub(super) fn takes(&self, bytes: u64) {
        self.used.store(bytes, Relaxed);
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// Notes what last went wrong.
    pub(super) fn trouble(&self, what: String) {
        tracing::warn!("store: {what}");
        *self.trouble.lock().unwrap_or_else(|e| e.into_inner()) = Some(what);
    }

    pub(super) fn last_trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    pub(super) fn totals(&self) -> (u64, u64) {
        (self.stored.load(Relaxed), self.removed.load(Relaxed))
    }

    /// Every loss that occurred, by name.
    pub(super) fn losses(&self) -> Vec<(&'static str, u64)> {
        let all = Loss::ALL.iter().zip(&self.lost);
        let all = all.map(|((_, name), count)| (*name, count.load(Relaxed)));
        all.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Loss;

    #[test]
    fn losses_are_listed_at_their_own_index() {
        for (index, (loss, _)) in Loss::ALL.iter().enumerate() {
            assert_eq!(*loss as usize, index);
        }
    }
}
