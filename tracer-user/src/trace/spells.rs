//! Spells of time in which something went wrong.

use std::collections::VecDeque;

/// Spells that are remembered. Beyond that the two oldest become one, with the time between them:
/// an exchange that old is then marked although it may lie between the two.
const MAX: usize = 1024;

/// Spells in ascending order, not overlapping; nanoseconds of the boot clock, both ends included.
#[derive(Debug, Default)]
pub(super) struct Spells(VecDeque<(u64, u64)>);

impl Spells {
    /// Adds one that ends after all others.
    pub(super) fn add(&mut self, since: u64, until: u64) {
        let mut since = since.min(until);
        while let Some((start, _)) = self.0.back().copied().filter(|(_, end)| *end >= since) {
            since = since.min(start);
            self.0.pop_back();
        }
        self.0.push_back((since, until));
        if self.0.len() > MAX
            && let (Some((since, _)), Some(second)) = (self.0.pop_front(), self.0.front_mut())
        {
            second.0 = since;
        }
    }

    /// Whether one of them shares an instant with this time.
    pub(super) fn touch(&self, from: u64, to: u64) -> bool {
        let first = self.0.partition_point(|(_, end)| *end < from);
        self.0.get(first).is_some_and(|(start, _)| *start <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX, Spells};

    #[test]
    fn only_what_shares_an_instant_is_touched() {
        let mut spells = Spells::default();
        assert!(!spells.touch(0, u64::MAX));
        spells.add(10, 20);
        spells.add(40, 50);
        for (from, to, touched) in
            [(0, 9, false), (0, 10, true), (20, 30, true), (21, 39, false), (45, 45, true)]
        {
            assert_eq!(spells.touch(from, to), touched, "{from} to {to}");
        }
        assert!(!spells.touch(51, u64::MAX));
    }

    #[test]
    fn spells_that_meet_are_one() {
        let mut spells = Spells::default();
        spells.add(10, 20);
        spells.add(15, 30);
        spells.add(5, 40);
        assert_eq!(spells.0.len(), 1);
        assert!(spells.touch(5, 5) && !spells.touch(0, 4));
    }

    #[test]
    fn memory_is_bounded_and_nothing_is_forgotten() {
        let mut spells = Spells::default();
        (0..3 * MAX as u64).for_each(|n| spells.add(10 * n, 10 * n + 1));
        assert_eq!(spells.0.len(), MAX);
        assert!((0..3 * MAX as u64).all(|n| spells.touch(10 * n, 10 * n)));
        let last = 30 * MAX as u64 - 10;
        assert!(!spells.touch(last - 5, last - 5));
    }
}
