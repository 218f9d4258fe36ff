//! Whether answers that are still to come belong to commands of which nothing is known.

use crate::connection::Moment;

/// So many nanoseconds without a byte say that nothing was awaited.
const SILENCE: u64 = 100_000_000;
/// The same, where something seems to be.
const LONG_SILENCE: u64 = 10 * SILENCE;
/// So often commands must be seen to begin with nothing awaited where commands of several operations
/// were awaited at a time: a connection that many share is seldom idle, but its load comes to the same
/// low again and again.
const SHARED: u32 = 32;

/// The bookkeeping of a connection that answers in the order of its requests, without names. After a
/// loss, an unknown number of answers may belong to what came before; to give one of them to a later
/// command makes all that follow wrong, so that new ones are abandoned until nothing is awaited.
///
/// ```text
///         lost
/// Sure ----------> Doubt ---- a request while nothing is awaited, often enough ----> Sure
/// ```
#[derive(Debug, Default)]
pub(super) struct Doubt {
    doubts: bool,
    /// Since it began: requests that no answer has come for, at least.
    unanswered: u64,
    /// Answers that may still come, at most; `None` where requests were not seen.
    owed: Option<u64>,
    /// Answers since it began that belong to what came before.
    others: u32,
    /// How many more requests must begin with nothing awaited, until that is believed.
    wary: u32,
    /// The operation of the last request.
    order: u64,
    /// When something was seen last.
    last: Option<u64>,
}

impl Doubt {
    /// It is not known whose the next answer is.
    pub(super) fn doubts(&self) -> bool {
        self.doubts
    }

    /// Bytes were not seen; `awaited` answers were outstanding, and `None` if requests may be missing.
    /// `serial`: the client is likely to have waited for an answer before its next request, which is not
    /// said of one that nothing was seen of.
    pub(super) fn begin(&mut self, awaited: Option<u64>, serial: bool) {
        if awaited == Some(0) && !self.doubts {
            return;
        }
        let owed = self.owed;
        self.owed = match awaited {
            Some(awaited) if self.doubts => owed.map(|owed| owed.max(awaited)),
            awaited => awaited,
        };
        if !self.doubts {
            self.others = 0;
        }
        // Whatever was unanswered may have been answered with what was not seen.
        self.unanswered = 0;
        if !serial || self.last.is_none() {
            self.wary = self.wary.max(1);
        }
        self.doubts = true;
    }

    /// Nothing has moved since then.
    pub(super) fn silent_since(&mut self, time: u64) {
        self.last = Some(time);
    }

    /// A request comes, and `awaited` says that others before it are. Whether its answer will be known.
    pub(super) fn request(&mut self, awaited: bool, at: Moment) -> bool {
        let silence = if self.unanswered == 0 { SILENCE } else { LONG_SILENCE };
        let silent = self.last.is_some_and(|last| at.time.saturating_sub(last) >= silence);
        let joins = std::mem::replace(&mut self.order, at.order) == at.order;
        self.last = Some(at.time);
        let idle = !awaited && self.unanswered == 0;
        if !self.doubts {
            match (idle, joins) {
                (true, _) => self.wary = self.wary.saturating_sub(1),
                (false, true) => {}
                (false, false) => self.wary = SHARED,
            }
            return true;
        }
        if !awaited && (silent || idle && self.wary == 0) {
            self.end();
            return true;
        }
        match (idle, joins) {
            (true, _) => self.wary = self.wary.saturating_sub(1),
            (false, true) => {}
            (false, false) => self.wary = SHARED,
        }
        self.unanswered += 1;
        self.owed = self.owed.map(|owed| owed + 1);
        false
    }

    /// An answer has come that belongs to a call.
    pub(super) fn matched(&mut self, at: Moment) {
        self.last = Some(at.time);
        self.pay();
    }

    /// One has come that belongs to none.
    pub(super) fn answer(&mut self, at: Moment) {
        self.last = Some(at.time);
        if !self.doubts {
            return;
        }
        if self.unanswered > 0 {
            self.unanswered -= 1;
        } else {
            self.others = self.others.saturating_add(1);
            // Those of a pipeline whose length is known say nothing of the client.
            let many = self.others > 1 && self.owed.is_none();
            self.wary = self.wary.max(if many { SHARED } else { 1 });
        }
        self.pay();
    }

    /// Answers passed that were not told apart.
    pub(super) fn passed(&mut self, at: Moment) {
        self.last = Some(at.time);
        self.unanswered = 0;
    }

    /// One answer less is to come.
    fn pay(&mut self) {
        if self.doubts {
            self.owed = self.owed.map(|owed| owed.saturating_sub(1));
            if self.owed == Some(0) {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        (self.doubts, self.unanswered, self.others, self.owed) = (false, 0, 0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::{Doubt, SHARED, SILENCE};
    use crate::protocol::backing::testing::at;

    #[test]
    fn a_client_that_waits_is_believed_after_its_first_answer() {
        let mut doubt = Doubt::default();
        doubt.begin(None, true);
        assert!(!doubt.request(false, at(1)));
        doubt.answer(at(2));
        assert!(doubt.request(false, at(3)) && !doubt.doubts());
        doubt.matched(at(4));
        // It was seen to wait.
        doubt.begin(None, true);
        assert!(doubt.request(false, at(5)));
    }

    #[test]
    fn answers_of_others_make_wary() {
        let mut doubt = Doubt::default();
        doubt.begin(None, true);
        doubt.answer(at(1));
        assert!(!doubt.request(false, at(2)));
        doubt.answer(at(3));
        doubt.answer(at(4));
        for time in 0..u64::from(SHARED) {
            assert!(!doubt.request(false, at(5 + 2 * time)), "{time}");
            doubt.answer(at(6 + 2 * time));
        }
        assert!(doubt.request(false, at(1000)));
    }

    #[test]
    fn all_that_is_owed_may_come_and_silence_tells() {
        let mut doubt = Doubt::default();
        doubt.begin(Some(2), false);
        assert!(!doubt.request(false, at(1)));
        (0..3).for_each(|_| doubt.answer(at(2)));
        assert!(!doubt.doubts());
        doubt.begin(None, false);
        assert!(!doubt.request(false, at(3)) && !doubt.request(false, at(4)));
        assert!(!doubt.request(false, at(4 + SILENCE)));
        doubt.passed(at(5 + SILENCE));
        assert!(doubt.request(false, at(5 + 2 * SILENCE)) && !doubt.doubts());
        // Nothing was awaited.
        doubt.begin(Some(0), true);
        assert!(!doubt.doubts());
        for (silence, known) in [(SILENCE - 1, false), (SILENCE, true)] {
            let mut doubt = Doubt::default();
            doubt.begin(None, true);
            doubt.silent_since(7);
            assert_eq!(doubt.request(false, at(7 + silence)), known);
        }
    }
}
