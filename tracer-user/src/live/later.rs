//! Processes that are to be looked at again, ever less often.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// After the first look.
const FIRST: Duration = Duration::from_millis(50);
/// Looks at a process; each pause is twice the one before, so that the last is about 7 minutes after
/// the first.
const MAX_LOOKS: u32 = 13;
/// Processes that wait at a time.
const MAX_WAITING: usize = 4096;

/// Who waits for how long.
#[derive(Debug, Default)]
pub(super) struct Later {
    due: BTreeSet<(Instant, u32)>,
    looks: HashMap<u32, u32>,
}

impl Later {
    /// A process was looked at; whether that is to be done again.
    pub(super) fn put_if(&mut self, again: bool, process: u32) {
        match again {
            true => self.put_at(process, Instant::now()),
            false => self.forget(process),
        }
    }

    fn put_at(&mut self, process: u32, now: Instant) {
        if self.looks.len() >= MAX_WAITING && !self.looks.contains_key(&process) {
            return;
        }
        let looks = self.looks.entry(process).or_default();
        self.due.retain(|(_, other)| *other != process);
        if *looks < MAX_LOOKS {
            self.due.insert((now + FIRST * 2_u32.pow(*looks), process));
            *looks += 1;
        } else {
            self.looks.remove(&process);
        }
    }

    /// Until the next one is due.
    pub(super) fn pause(&self) -> Duration {
        let (at, _) = self.due.first().copied().unwrap_or((Instant::now() + FIRST, 0));
        at.saturating_duration_since(Instant::now())
    }

    /// The next one that is due.
    pub(super) fn next(&mut self) -> Option<u32> {
        self.next_at(Instant::now())
    }

    fn next_at(&mut self, now: Instant) -> Option<u32> {
        let first = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.due.remove(&first);
        Some(first.1)
    }

    /// It has ended, or is looked at as if for the first time.
    pub(super) fn forget(&mut self, process: u32) {
        if self.looks.remove(&process).is_some() {
            self.due.retain(|(_, other)| *other != process);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST, Instant, Later, MAX_LOOKS, MAX_WAITING};

    #[test]
    fn a_process_is_looked_at_ever_less_often_and_then_no_more() {
        let (mut later, mut now) = (Later::default(), Instant::now());
        for look in 0..MAX_LOOKS {
            later.put_at(7, now);
            let pause = FIRST * 2_u32.pow(look);
            assert_eq!(later.next_at(now + pause - FIRST / 2), None);
            now += pause;
            assert_eq!(later.next_at(now), Some(7));
        }
        later.put_at(7, now);
        assert_eq!(later.next_at(now + FIRST * 2_u32.pow(MAX_LOOKS)), None);
        assert!(later.looks.is_empty());
    }

    #[test]
    fn those_that_wait_are_bounded_and_can_be_forgotten() {
        let (mut later, now) = (Later::default(), Instant::now());
        (0..2 * MAX_WAITING as u32).for_each(|process| later.put_at(process, now));
        assert_eq!(later.due.len(), MAX_WAITING);
        later.forget(3);
        assert_eq!((later.due.len(), later.looks.len()), (MAX_WAITING - 1, MAX_WAITING - 1));
    }
}
