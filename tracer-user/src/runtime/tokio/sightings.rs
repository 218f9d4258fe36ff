//! Ways to who waits that were seen, until one of each kind is believed; and doubts about those that
//! are.

use std::collections::{HashMap, HashSet};

use tracer_common::runtime::{MAX_WAITS, NO_POINTER, Wait};

use super::way::Way;

/// How often a way has to be seen while somebody waits at its end.
const ENOUGH: u32 = 3;
/// How often more a longer way may have been seen than a way of the same kind that it begins behind
/// (see [`super::way::shared`]): whoever waits at the shorter one's end was about to run.
const SLACK: u32 = 1;
/// A shorter one that was seen so much less often than a longer one is none.
const RARE: u32 = 4;
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
    /// What is in memory is seen again and again, but counts once: the way, where it was seen, and
    /// whether that was over.
    told: HashSet<(Wait, (u64, u64), bool)>,
    /// Of ways that are believed, by table.
    doubts: HashMap<u64, Doubts>,
}

/// What contradicts a way since it was last confirmed.
#[derive(Clone, Copy, Debug, Default)]
struct Doubts {
    count: u32,
    /// From where it was seen last.
    from: u64,
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
        if full || !self.told.insert((wait, way.place, way.open)) {
            return;
        }
        let count = self.counts.entry(wait).or_default();
        *(if way.open { &mut count.open } else { &mut count.over }) += 1;
        let count = *count;
        let is_rival = |(other, _): &(&Wait, &Count)| other.table == wait.table && **other != wait;
        let rivals: Vec<(&Wait, Count)> =
            self.counts.iter().filter(is_rival).map(|(wait, count)| (wait, *count)).collect();
        let most = rivals.iter().map(|(_, rival)| rival.open).max().unwrap_or(0);
        let enough = if is_shared(&wait) {
            // The shortest one that is seen as often as any.
            count.open >= ENOUGH
                && rivals.iter().all(|(other, rival)| match length(other) > length(&wait) {
                    true => rival.open <= count.open + SLACK,
                    false => RARE * rival.open < count.open,
                })
        } else {
            count.open >= ENOUGH && count.open > most
                || count.open >= PLENTY && count.open >= most
                || count.open == 0 && count.over >= FEW && rivals.is_empty()
        };
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
        match ways.iter().any(|way| way.leads(&believed, base)) {
            true => self.confirm(table),
            false => self.contradict(table, None),
        }
    }

    /// The same of ways that [`super::way::shared`] found `from` there. `taken`: the waker at the end of the
    /// one that is believed was taken.
    pub(super) fn compare_shared(
        &mut self,
        believed: &Wait,
        from: u64,
        taken: bool,
        ways: &[Way],
        base: u64,
    ) {
        let own = ways.iter().find(|way| way.leads(believed, base));
        let shorter = |way: &&Way| length(&way.wait) < length(believed);
        let another = |way: &Way| own.is_none_or(|own| own.waiter != way.waiter);
        match own {
            // Both can't be right, and the longer one is more likely a neighbour's.
            _ if ways.iter().filter(shorter).any(another) => {
                self.contradict(believed.table, Some(from));
            }
            Some(_) => self.confirm(believed.table),
            None if taken || ways.is_empty() => {}
            None => self.contradict(believed.table, Some(from)),
        }
    }

    fn confirm(&mut self, table: u64) {
        self.doubts.remove(&table);
    }

    /// `from`: seen there twice in a row, it counts once.
    fn contradict(&mut self, table: u64, from: Option<u64>) {
        let doubts = self.doubts.entry(table).or_default();
        if from.is_some_and(|from| std::mem::replace(&mut doubts.from, from) == from) {
            return;
        }
        doubts.count += 1;
        if doubts.count >= ENOUGH {
            self.doubts.remove(&table);
            self.believed.retain(|wait| wait.table != table);
            self.told.clear();
        }
    }
}

/// How far it goes.
fn length(wait: &Wait) -> (u32, u32) {
    (wait.first, wait.waker)
}

/// Whether it is one of [`super::way::shared`].
fn is_shared(wait: &Wait) -> bool {
    wait.state == NO_POINTER
}

#[cfg(test)]
mod tests {
    use tracer_common::runtime::{NO_POINTER, Wait};

    use super::super::program::Sleeper;
    use super::super::way::Way;
    use super::{ENOUGH, PLENTY, RARE, Sightings};

    const BASE: u64 = 0x1000;

    /// One by the `first` pointer, at number `n`.
    fn way(first: u32, n: u32, open: bool) -> Way {
        let wait = Wait { table: BASE + 7, first, second: NO_POINTER, waker: 32, state: 48 };
        let waiter = Sleeper::Other { table: 1, at: n.into() };
        Way { wait, place: (n.into(), 0), waiter, open }
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

    /// One of another library's, by the `first` pointer, from number `from`, to `waiter`.
    fn shared(first: u32, from: u32, waiter: u64) -> Way {
        let wait =
            Wait { table: BASE + 7, first, second: NO_POINTER, waker: 24, state: NO_POINTER };
        let waiter = Sleeper::Other { table: 1, at: waiter };
        Way { wait, place: (from.into(), 0), waiter, open: true }
    }

    #[test]
    fn of_ways_that_are_seen_together_the_shortest_is_believed() {
        let mut sightings = Sightings::default();
        // Behind the first is a neighbour that others come and go at; its own waker has been taken.
        (0..9).for_each(|waiter| sightings.saw(&shared(800, 0, waiter), BASE));
        for from in 1..=ENOUGH {
            assert_eq!(believed(&sightings), None);
            sightings.saw(&shared(800, from, from.into()), BASE);
            sightings.saw(&shared(8, from, 5), BASE);
        }
        assert_eq!(believed(&sightings), Some(8));
    }

    #[test]
    fn a_longer_way_is_believed_when_the_shorter_one_was_a_rare_neighbour() {
        let mut sightings = Sightings::default();
        sightings.saw(&shared(8, 0, 5), BASE);
        (0..RARE).for_each(|from| sightings.saw(&shared(800, from, 6), BASE));
        assert_eq!(believed(&sightings), None);
        sightings.saw(&shared(800, RARE, 6), BASE);
        assert_eq!(believed(&sightings), Some(800));
    }

    #[test]
    fn a_shared_way_is_doubted_when_a_shorter_one_leads_elsewhere() {
        let mut sightings = Sightings::default();
        (0..ENOUGH).for_each(|from| sightings.saw(&shared(800, from, 6), BASE));
        let wait = *sightings.of(7).unwrap();
        let mut compare = |from: u32, taken, ways: &[Way]| {
            sightings.compare_shared(&wait, from.into(), taken, ways, BASE);
            sightings.of(7).is_some()
        };
        let own = shared(800, 1, 6);
        for from in 0..9 {
            assert!(compare(from, true, &[shared(8, from, 5)][..0]), "nothing is there");
            assert!(compare(from, true, &[shared(900, from, 5)]), "about to run");
            assert!(compare(0, false, &[shared(900, 0, 5)]), "twice from one place");
            assert!(compare(from, false, &[shared(8, from, 6), shared(800, from, 6)]), "agreed");
        }
        for from in 1..ENOUGH {
            assert!(compare(from, false, &[shared(8, from, 5), shared(800, from, 6)]));
        }
        assert!(compare(10, false, &[own]), "confirmed");
        for from in 1..ENOUGH {
            assert!(compare(from, false, &[shared(8, from, 5), shared(800, from, 6)]));
        }
        assert!(!compare(ENOUGH, false, &[shared(900, ENOUGH, 5)]));
    }
}
