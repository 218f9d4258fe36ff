//! The packets' times made fit for use.

/// Packets of several interfaces or processors may be so much out of order.
const DISORDER: u64 = 1_000_000_000;
/// A pause of a capture that needs no second witness.
const PAUSE: u64 = 86_400_000_000_000;
/// Nothing was captured after the year 2200: [`crate::pipeline`] takes times of 146 years.
const LATEST: u64 = u64::MAX / 4;

/// Lets time go on, and jump only when two packets agree on it.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    last: Option<u64>,
    /// A time that was not near the last one.
    doubted: Option<u64>,
}

impl Timeline {
    /// The time of a packet that says it was then; and whether that is another one.
    ///
    /// A step back of up to a second is disorder: the packet gets the time of the one before.
    /// Anything else that is not near it, back or forth, counts when the next packet says the same
    /// (captures put together, a clock that was set); until then it is an error.
    pub(super) fn place(&mut self, said: u64) -> (u64, bool) {
        let near = |of: u64, back| said >= of.saturating_sub(back) && said - of.min(said) <= PAUSE;
        match self.last {
            _ if said > LATEST => (self.last(), true),
            Some(last) if near(last, DISORDER) => {
                self.doubted = None;
                self.last = Some(last.max(said));
                (last.max(said), said < last)
            }
            Some(last) if !self.doubted.is_some_and(|doubted| near(doubted, DISORDER)) => {
                self.doubted = Some(said);
                (last, true)
            }
            _ => {
                self.doubted = None;
                self.last = Some(said);
                (said, false)
            }
        }
    }

    /// The last packet's time; 0 before the first.
    pub(super) fn last(&self) -> u64 {
        self.last.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{LATEST, Timeline};

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 1_700_000_000 * SECOND;

    #[test]
    fn disorder_is_clamped() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.place(NOW), (NOW, false));
        assert_eq!(timeline.place(NOW - 5), (NOW, true));
        assert_eq!(timeline.place(NOW + 5), (NOW + 5, false));
    }

    #[test]
    fn one_packet_does_not_move_the_clock_far() {
        let mut timeline = Timeline::default();
        timeline.place(NOW);
        for wild in [0, LATEST, u64::MAX, NOW - 100 * SECOND] {
            assert_eq!(timeline.place(wild), (NOW, true), "{wild}");
            assert_eq!(timeline.place(NOW), (NOW, false));
        }
    }

    #[test]
    fn two_that_agree_do() {
        for then in [NOW - 100 * SECOND, NOW + 1_000_000 * SECOND] {
            let mut timeline = Timeline::default();
            timeline.place(NOW);
            assert_eq!(timeline.place(then), (NOW, true));
            assert_eq!(timeline.place(then + 7), (then + 7, false));
            assert_eq!(timeline.place(then + 9), (then + 9, false));
        }
    }
}
