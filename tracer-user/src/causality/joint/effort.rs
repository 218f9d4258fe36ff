//! How much care goes into one decision.
//!
//! While a process's routes are hardly known, what is learned and what is assigned are settled in
//! rounds, and the later ones count whose each call is: the answer is that of several models, each
//! of which may be the right one. Once they are known, one round is enough.

/// Looks at every call in a round before anything is counted.
const SWEEPS: usize = 2;
/// Rounds as long as little is known, and the first of them that counts.
const ROUNDS: usize = 7;
const COUNTS: usize = 2;
/// Looks at every call that are counted, in such a round and in the only one.
const SOME: usize = 3;
const ALL: usize = 10;

/// Of one decision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    rounds: usize,
    /// By how much longer than usual assignments are drawn, because calls have many candidates.
    crowd: usize,
}

/// Of one turn of learning and assigning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// What the round before has shown is learned first.
    pub(super) relearn: bool,
    /// Looks at every call.
    pub(super) sweeps: usize,
    /// The same, counted.
    pub(super) counted: usize,
}

/// From the most that makes sense to the least.
pub(super) fn efforts(known: bool, crowd: usize) -> impl Iterator<Item = Effort> {
    let rounds = if known { 1 } else { ROUNDS };
    let hasty = (!known).then_some(Effort { rounds: 1, crowd: 1 });
    (1..=crowd).rev().map(move |crowd| Effort { rounds, crowd }).chain(hasty)
}

impl Effort {
    /// Looks at single calls that this takes, if so many calls are open.
    pub(super) fn visits(self, open: usize) -> u64 {
        let looks: usize = self.rounds(open).map(|round| round.sweeps + round.counted).sum();
        (open * looks) as u64
    }

    /// One after the other; none if there is nothing to decide.
    pub(super) fn rounds(self, open: usize) -> impl Iterator<Item = Round> {
        let Effort { rounds, crowd } = self;
        (0..if open > 0 { rounds } else { 0 }).map(move |number| Round {
            relearn: number > 0,
            sweeps: crowd * SWEEPS,
            counted: match (rounds, number) {
                (1, _) => crowd * ALL,
                (_, COUNTS..) => crowd * SOME,
                _ => 0,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::efforts;

    #[test]
    fn they_cost_less_and_less_and_each_counts() {
        for (known, crowd) in [(true, 1), (true, 4), (false, 1), (false, 4)] {
            let visits: Vec<_> = efforts(known, crowd).map(|effort| effort.visits(10)).collect();
            assert!(visits.is_sorted_by(|more, less| more > less), "{visits:?}");
            let counts = |effort: super::Effort| effort.rounds(1).any(|round| round.counted > 0);
            assert!(efforts(known, crowd).all(counts));
        }
        assert_eq!(efforts(true, 1).map(|effort| effort.visits(0)).sum::<u64>(), 0);
    }
}
