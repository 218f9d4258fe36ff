//! Ways to who waits that were seen, until one of each kind is believed; and doubts about those that
//! are.

use std::collections::{HashMap, HashSet};

use tracer_common::runtime::{MAX_WAITS, Wait};

use super::way::Way;

/// How often a way has to be seen while somebody waits at its end.
const ENOUGH: u32 = 3;
/// How often when that is over, if no other one is seen: by then few may be left in memory.
const FEW: u32 = 2;
/// When two have been seen so often, and always both, either will do.
const PLENTY: u32 = 12;
/// Ways that are counted at the same time.
const MAX_SEEN: usize = 4096;
/// Sightings that are told apart.
const MAX_SIGHTINGS: usize = 16_384;

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// While somebody waited.
    open: u32,
    /// When that was over.
    over: u32,
}

/// Of one program. Addresses in ways are as far from where its file begins in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Sightings {
    believed: Vec<Wait>,
    counts: HashMap<Wait, Count>,
    /// What is in memory is seen again and again, but counts once: the way's table and end, whom it
    /// led to, and whether that was over.
    told: HashSet<(Wait, u64, u64, bool)>,
    /// How often a way that is believed was not among those that were seen, since it last was.
    doubts: HashMap<u64, u32>,
}

impl Sightings {
    /// These were believed in an earlier run.
    pub(super) fn known(waits: &[Wait]) -> Self {
        let believed = waits.iter().take(MAX_WAITS).copied().collect();
        Self { believed, ..Self::default() }
    }

    /// Those that are believed.
    pub(super) fn believed(&self) -> &[Wait] {
        &self.believed
    }

    /// That of this table.
    pub(super) fn of(&self, table: u64) -> Option<&Wait> {
        self.believed.iter().find(|wait| wait.table == table)
    }

    /// A way was seen.
    pub(super) fn saw(&mut self, way: &Way, base: u64) {
        let wait = Wait { table: way.wait.table.wrapping_sub(base), ..way.wait };
        if self.told.len() >= MAX_SIGHTINGS {
            self.told.clear();
        }
        let full = self.counts.len() >= MAX_SEEN && !self.counts.contains_key(&wait);
        if full || !self.told.insert((wait, way.through, way.waiter.at(), way.open)) {
            return;
        }
        let count = self.counts.entry(wait).or_default();
        *(if way.open { &mut count.open } else { &mut count.over }) += 1;
        let count = *count;
        let is_rival = |(other, _): &(&Wait, &Count)| other.table == wait.table && **other != wait;
        let rivals = || self.counts.iter().filter(is_rival).map(|(_, count)| *count);
        let most = rivals().map(|rival| rival.open).max().unwrap_or(0);
        let enough = count.open >= ENOUGH && count.open > most
            || count.open >= PLENTY && count.open >= most
            || count.open == 0 && count.over >= FEW && rivals().count() == 0;
        if enough && self.of(wait.table).is_none() && self.believed.len() < MAX_WAITS {
            self.believed.push(wait);
            self.counts.retain(|other, _| other.table != wait.table);
        }
    }

    /// All these ways were seen from one place, of which another one is believed already.
    pub(super) fn compare(&mut self, ways: &[Way], base: u64) {
        let Some(table) = ways.iter().find(|way| way.open).map(|way| way.wait.table) else {
            return;
        };
        let table = table.wrapping_sub(base);
        let Some(believed) = self.of(table).copied() else { return };
        let is_it = |way: &Way| Wait { table, ..way.wait } == believed;
        if ways.iter().any(is_it) {
            self.doubts.remove(&table);
            return;
        }
        let doubts = self.doubts.entry(table).or_default();
        *doubts += 1;
        if *doubts >= ENOUGH {
            self.doubts.remove(&table);
            self.believed.retain(|wait| wait.table != table);
            self.told.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use tracer_common::runtime::{NO_POINTER, Wait};

    use super::super::program::Sleeper;
    use super::super::way::Way;
    use super::{ENOUGH, PLENTY, Sightings};

    const BASE: u64 = 0x1000;

    /// One by the `first` pointer, at number `n`.
    fn way(first: u32, n: u32, open: bool) -> Way {
        let wait = Wait { table: BASE + 7, first, second: NO_POINTER, waker: 32, state: 48 };
        let waiter = Sleeper::Other { table: 1, at: n.into() };
        Way { wait, through: n.into(), waiter, open }
    }

    fn believed(sightings: &Sightings) -> Option<u32> {
        sightings.of(7).map(|wait| wait.first)
    }

    #[test]
    fn a_way_is_believed_when_it_was_seen_often_and_not_when_it_was_seen_for_long() {
        let mut sightings = Sightings::default();
        (0..100).for_each(|_| sightings.saw(&way(8, 1, true), BASE));
        assert_eq!(believed(&sightings), None);
        (0..ENOUGH).for_each(|n| sightings.saw(&way(8, n, true), BASE));
        assert_eq!(believed(&sightings), Some(8));
    }

    #[test]
    fn what_is_over_counts_only_where_there_is_nothing_else() {
        let mut sightings = Sightings::default();
        sightings.saw(&way(16, 0, false), BASE);
        (0..9 * ENOUGH).for_each(|n| sightings.saw(&way(8, n, false), BASE));
        assert_eq!(believed(&sightings), None);
        (0..ENOUGH).for_each(|n| sightings.saw(&way(16, n, true), BASE));
        assert_eq!(believed(&sightings), Some(16));
    }

    #[test]
    fn of_two_that_are_always_seen_together_either_is_believed() {
        let mut sightings = Sightings::default();
        let mut both =
            |n| [8, 16].iter().for_each(|&first| sightings.saw(&way(first, n, true), BASE));
        (0..PLENTY).for_each(&mut both);
        assert!(believed(&sightings).is_some());
    }

    #[test]
    fn a_way_that_others_contradict_is_believed_no_more() {
        let mut sightings = Sightings::default();
        (0..ENOUGH).for_each(|n| sightings.saw(&way(8, n, true), BASE));
        let wrong = [way(16, 1, true)];
        (1..ENOUGH).for_each(|_| sightings.compare(&wrong, BASE));
        sightings.compare(&[way(16, 1, true), way(8, 1, true)], BASE);
        (1..ENOUGH).for_each(|_| sightings.compare(&wrong, BASE));
        assert_eq!(believed(&sightings), Some(8));
        sightings.compare(&wrong, BASE);
        assert_eq!(believed(&sightings), None);
    }
}
