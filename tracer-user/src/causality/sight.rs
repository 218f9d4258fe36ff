//! How much of what a process is asked for is seen.

use crate::connection::Moment;

/// How long after a loss a request may still be open whose beginning was lost.
pub(super) const DOUBT: u64 = 60_000_000_000;

/// Of one process.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// Incoming connections that were there before the tracer and have not been seen since.
    unseen: u32,
    /// Until when (boot clock) these may carry a request from before the tracer; 0 if that is not known.
    unseen_until: u64,
    /// Incoming connections that carry what is not decoded.
    undecoded: u32,
    /// Some connections are not traced because the user said so.
    left_out: bool,
    /// Number of the event with which one of these reasons last went away.
    dim: u64,
    /// Until when (boot clock) a request may be open whose beginning was lost.
    doubt: u64,
}

impl Sight {
    /// Of a process that is heard of for the first time, and of which something may have been lost.
    pub(super) fn with_doubt(doubt: u64) -> Self {
        Self { doubt, ..Self::default() }
    }

    /// What was lost by `now` may be the beginning of a request. Returns until when that matters.
    pub(super) fn doubt(now: u64) -> u64 {
        now.saturating_add(DOUBT)
    }

    pub(super) fn lose(&mut self, now: u64) {
        self.doubt = self.doubt.max(Self::doubt(now));
    }

    pub(super) fn unseen(&mut self, count: u32, at: &Moment) {
        if count < self.unseen {
            self.dim = at.order;
        }
        // What is found before the first event is found again a little later.
        if self.unseen_until == 0 && at.time != 0 {
            self.unseen_until = Self::doubt(at.time);
        }
        self.unseen = count;
    }

    pub(super) fn undecoded_opened(&mut self) {
        self.undecoded += 1;
    }

    pub(super) fn undecoded_closed(&mut self, order: u64) {
        self.undecoded = self.undecoded.saturating_sub(1);
        self.dim = order;
    }

    pub(super) fn leave_out(&mut self, some: bool) {
        self.left_out = some;
    }

    /// Whatever it is asked for from then on is read, also where a request from before the tracer
    /// may still be open.
    pub(super) fn is_clear(&self, at: &Moment) -> bool {
        self.undecoded == 0 && !self.left_out && self.doubt < at.time
    }

    /// Something was lost not long before.
    pub(super) fn may_have_lost(&self, at: &Moment) -> bool {
        self.doubt >= at.time
    }

    /// Nothing that it was asked for since then can have escaped, and nothing from before that was
    /// still going on then.
    pub(super) fn whole_since(&self, since: &Moment) -> bool {
        (self.unseen == 0 || (1..since.time).contains(&self.unseen_until))
            && self.undecoded == 0
            && !self.left_out
            && self.dim < since.order
            && self.doubt < since.time
    }
}

#[cfg(test)]
mod tests {
    use super::{DOUBT, Moment, Sight};

    #[test]
    fn it_is_whole_only_after_the_last_gap() {
        let at = |order| Moment { order, time: order, ..Moment::default() };
        let mut sight = Sight::default();
        assert!(sight.whole_since(&at(1)));
        sight.unseen(2, &at(10));
        sight.unseen(1, &at(20));
        assert!(!sight.whole_since(&at(30)) && sight.is_clear(&at(30)));
        assert!(!sight.whole_since(&at(10 + DOUBT)) && sight.whole_since(&at(11 + DOUBT)));
        sight.unseen(0, &at(40));
        assert!(!sight.whole_since(&at(40)) && sight.whole_since(&at(41)));
        sight.undecoded_opened();
        assert!(!sight.whole_since(&at(41)) && !sight.is_clear(&at(41)));
        sight.undecoded_closed(50);
        assert!(!sight.whole_since(&at(45)) && sight.whole_since(&at(51)));
        sight.lose(60);
        assert!(!sight.whole_since(&at(60 + DOUBT)) && sight.whole_since(&at(61 + DOUBT)));
    }
}
