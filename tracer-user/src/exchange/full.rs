//! When a table was full last, by process.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::connection::Moment;

/// Processes that are remembered; the one that ran into a full table longest ago goes first.
const MAX_PROCESSES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// What was left out for want of room.
#[derive(Debug)]
pub(super) struct Full {
    latest: LruCache<u32, u64>,
}

impl Default for Full {
    fn default() -> Self {
        Self { latest: LruCache::new(MAX_PROCESSES) }
    }
}

impl Full {
    /// What a process did just now was left out.
    pub(super) fn note(&mut self, at: Moment) {
        self.latest.put(at.pid, at.order);
    }

    /// Whether something that this process did has been left out since then.
    pub(super) fn since(&self, then: Moment) -> bool {
        self.latest.peek(&then.pid).is_some_and(|latest| *latest >= then.order)
    }

    /// A process has ended.
    pub(super) fn exited(&mut self, pid: u32) {
        self.latest.pop(&pid);
    }

    /// How many processes are remembered.
    pub(super) fn len(&self) -> usize {
        self.latest.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Full, MAX_PROCESSES, Moment};

    fn at(pid: u32, order: u64) -> Moment {
        Moment { pid, order, ..Moment::default() }
    }

    #[test]
    fn only_what_was_open_in_that_process_is_touched() {
        let mut full = Full::default();
        full.note(at(7, 10));
        assert!(full.since(at(7, 9)) && full.since(at(7, 10)));
        assert!(!full.since(at(7, 11)) && !full.since(at(8, 9)));
        full.exited(7);
        assert!(!full.since(at(7, 9)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut full = Full::default();
        (0..3 * MAX_PROCESSES.get() as u32).for_each(|pid| full.note(at(pid, 1)));
        assert_eq!(full.len(), MAX_PROCESSES.get());
    }
}
