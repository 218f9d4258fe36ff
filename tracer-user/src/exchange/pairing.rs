//! Finds the two ends of one exchange.

use std::collections::{HashMap, VecDeque};

use super::{ExchangeId, PairKey, Side};

/// How long one end is kept waiting for the other: a request can lie that long in a busy server's
/// backlog.
const PATIENCE: u64 = 60_000_000_000;
/// Most ends kept waiting at once.
const LIMIT: usize = 200_000;

/// An end that waits.
#[derive(Debug)]
struct End {
    side: Side,
    id: ExchangeId,
    /// When it began.
    time: u64,
}

/// The ends that have not met yet.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    waiting: HashMap<PairKey, End>,
    ages: VecDeque<(u64, PairKey)>,
    clashes: u64,
}

impl Pairing {
    /// Enters one end at its first byte. Returns the other end, if that was there before and began
    /// at `since` at the earliest.
    pub(super) fn enter(
        &mut self,
        key: PairKey,
        side: Side,
        id: ExchangeId,
        now: u64,
        since: u64,
    ) -> Option<ExchangeId> {
        self.expire(now);
        match self.waiting.remove(&key) {
            Some(other) if other.side != side && other.time >= since => Some(other.id),
            Some(_) => {
                self.clashes += 1;
                None
            }
            None => {
                self.waiting.insert(key, End { side, id, time: now });
                self.ages.push_back((now, key));
                None
            }
        }
    }

    /// An exchange is over: what begins later is no other end of it. Asked for where the key is less
    /// than certain.
    pub(super) fn leave(&mut self, key: PairKey, id: ExchangeId) {
        if self.waiting.get(&key).is_some_and(|end| end.id == id) {
            self.waiting.remove(&key);
        }
    }

    /// Gives up the ends that have waited too long, or that are too many.
    pub(super) fn expire(&mut self, now: u64) {
        while self.ages.front().is_some_and(|&(time, _)| time.saturating_add(PATIENCE) < now)
            || self.ages.len() > LIMIT
        {
            if let Some((_, key)) = self.ages.pop_front() {
                self.waiting.remove(&key);
            }
        }
    }

    /// How many ends wait, and how many entries tell their ages.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.ages.len()
    }

    /// Keys that two ends of the same side had, or two that cannot be of one exchange: neither is
    /// paired then.
    #[must_use]
    pub(super) fn clashes(&self) -> u64 {
        self.clashes
    }
}

#[cfg(test)]
mod tests {
    use super::{ExchangeId, LIMIT, PATIENCE, PairKey, Pairing, Side};

    #[test]
    fn ends_meet_in_either_order() {
        let mut pairing = Pairing::default();
        assert_eq!(pairing.enter(PairKey(1), Side::Client, ExchangeId(1), 0, 0), None);
        assert_eq!(pairing.enter(PairKey(2), Side::Server, ExchangeId(2), 0, 0), None);
        assert_eq!(
            pairing.enter(PairKey(1), Side::Server, ExchangeId(3), 0, 0),
            Some(ExchangeId(1))
        );
        assert_eq!(
            pairing.enter(PairKey(2), Side::Client, ExchangeId(4), 0, 0),
            Some(ExchangeId(2))
        );
    }

    #[test]
    fn two_of_one_side_are_not_paired() {
        let mut pairing = Pairing::default();
        pairing.enter(PairKey(1), Side::Client, ExchangeId(1), 0, 0);
        assert_eq!(pairing.enter(PairKey(1), Side::Client, ExchangeId(2), 0, 0), None);
        assert_eq!(pairing.clashes(), 1);
    }

    #[test]
    fn an_end_from_before_is_none_of_the_same_exchange() {
        let mut pairing = Pairing::default();
        pairing.enter(PairKey(1), Side::Server, ExchangeId(1), 5, 0);
        assert_eq!(pairing.enter(PairKey(1), Side::Client, ExchangeId(2), 9, 6), None);
        pairing.enter(PairKey(2), Side::Client, ExchangeId(3), 5, 0);
        pairing.leave(PairKey(2), ExchangeId(3));
        assert_eq!(pairing.enter(PairKey(2), Side::Server, ExchangeId(4), 9, 0), None);
        assert_eq!(pairing.clashes(), 1);
    }

    #[test]
    fn nobody_waits_for_ever() {
        let mut pairing = Pairing::default();
        pairing.enter(PairKey(1), Side::Client, ExchangeId(1), 0, 0);
        pairing.enter(PairKey(2), Side::Client, ExchangeId(2), PATIENCE + 1, 0);
        assert_eq!(pairing.enter(PairKey(1), Side::Server, ExchangeId(3), PATIENCE + 1, 0), None);
        for i in 0..2 * LIMIT as u64 {
            pairing.enter(PairKey(100 + i), Side::Client, ExchangeId(i), PATIENCE, 0);
        }
        assert!(pairing.waiting.len() <= LIMIT + 2);
    }
}
