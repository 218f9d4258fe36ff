//! What drawing assignments may cost, over all processes: bounded by the time that has passed, so
//! that the more there is to decide, the less care goes into each call, and in the end none. A backlog
//! would cost records of whatever process.

/// Visits of a call per millisecond: at about a microsecond each, a quarter of a processor.
const PER_MILLISECOND: u64 = 250;
/// Visits saved up at most.
const MOST: u64 = 500_000;
const MILLISECOND: u64 = 1_000_000;

/// Visits of calls, by a sampler, that are still allowed.
#[derive(Debug)]
pub struct Budget {
    left: u64,
    /// Boot time up to which they have been granted.
    at: u64,
    per_millisecond: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MOST, at: 0, per_millisecond: PER_MILLISECOND }
    }
}

impl Budget {
    /// One that never ends, for what need not keep up.
    #[must_use]
    pub fn unbounded() -> Self {
        Self { left: u64::MAX, at: u64::MAX, per_millisecond: 0 }
    }

    /// Visits that are allowed now.
    #[cfg(test)]
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// By now, more is allowed.
    pub(super) fn advance(&mut self, now: u64) {
        let passed = now.saturating_sub(self.at) / MILLISECOND;
        if passed > 0 {
            let more = passed.saturating_mul(self.per_millisecond);
            (self.left, self.at) = (self.left.saturating_add(more).min(MOST), now);
        }
    }

    /// Takes the most of these numbers of visits that is allowed, which come in falling order;
    /// returns its place.
    pub(super) fn take(&mut self, wanted: impl IntoIterator<Item = u64>) -> Option<usize> {
        let (place, cost) = wanted.into_iter().enumerate().find(|&(_, cost)| cost <= self.left)?;
        self.left -= cost;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, MILLISECOND, MOST, PER_MILLISECOND};

    #[test]
    fn what_is_used_up_comes_back_with_time_and_no_more_is_saved_than_is_sensible() {
        let mut budget = Budget::default();
        budget.advance(1000 * MILLISECOND);
        assert_eq!(budget.take([MOST + 1, MOST]), Some(1));
        assert_eq!(budget.take([2, 1]), None);
        budget.advance(1002 * MILLISECOND);
        assert_eq!(budget.take([2 * PER_MILLISECOND + 1, 2 * PER_MILLISECOND]), Some(1));
        budget.advance(u64::MAX);
        assert_eq!(budget.take([MOST + 1]), None);
        let mut unbounded = Budget::unbounded();
        unbounded.advance(1);
        assert_eq!(unbounded.take([1 << 60]), Some(0));
    }
}
