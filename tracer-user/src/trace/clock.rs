//! From the kernel's boot clock to time of day.

use std::collections::VecDeque;

/// One anchor: under it, no two spans are put into different orders by a change of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Nanoseconds since the Unix epoch at boot time 0; the clock may say that it is before 1970.
    boot: i128,
}

impl Clock {
    /// Both clocks read at the same instant, in nanoseconds.
    #[must_use]
    pub fn new(unix: u64, boot: u64) -> Self {
        Self { boot: i128::from(unix) - i128::from(boot) }
    }

    /// Nanoseconds since the Unix epoch; 0 for what is before it.
    #[must_use]
    pub fn unix(&self, boot: u64) -> u64 {
        let unix = (self.boot + i128::from(boot)).max(0);
        u64::try_from(unix).unwrap_or(u64::MAX)
    }

    /// How far another one is from it, in nanoseconds.
    #[must_use]
    pub fn distance(&self, other: &Clock) -> u64 {
        u64::try_from((self.boot - other.boot).abs()).unwrap_or(u64::MAX)
    }
}

/// Anchors that are remembered; what is older than the oldest is told by that one.
const MAX: usize = 256;

/// The anchors in the order in which they came to hold: a new one for each step of the wall clock.
#[derive(Debug)]
pub(super) struct Clocks {
    first: Clock,
    steps: VecDeque<(u64, Clock)>,
}

impl Clocks {
    pub(super) fn new(first: Clock) -> Self {
        Self { first, steps: VecDeque::new() }
    }

    /// From this boot time on, another one holds.
    pub(super) fn step(&mut self, from: u64, clock: Clock) {
        self.steps.push_back((from, clock));
        if self.steps.len() > MAX
            && let Some((_, clock)) = self.steps.pop_front()
        {
            self.first = clock;
        }
    }

    /// The one that held at this boot time.
    pub(super) fn at(&self, boot: u64) -> Clock {
        let before = self.steps.iter().rev().find(|(from, _)| *from <= boot);
        before.map_or(self.first, |(_, clock)| *clock)
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Clocks, MAX};

    #[test]
    fn a_wall_clock_may_be_behind_the_boot_clock() {
        let clock = Clock::new(5, 100);
        assert_eq!((clock.unix(100), clock.unix(110), clock.unix(3)), (5, 15, 0));
        assert_eq!(clock.distance(&Clock::new(0, 100)), 5);
        assert_eq!(Clock::new(u64::MAX, 0).unix(u64::MAX), u64::MAX);
    }

    #[test]
    fn each_time_has_the_anchor_that_held_then() {
        let mut clocks = Clocks::new(Clock::new(1000, 0));
        clocks.step(50, Clock::new(9000, 50));
        assert_eq!(clocks.at(49).unix(49), 1049);
        assert_eq!(clocks.at(50).unix(50), 9000);
        for n in 0..3 * MAX as u64 {
            clocks.step(100 + n, Clock::new(n, 0));
        }
        assert_eq!(clocks.steps.len(), MAX);
        assert_eq!(clocks.at(100 + 3 * MAX as u64), Clock::new(3 * MAX as u64 - 1, 0));
    }
}
