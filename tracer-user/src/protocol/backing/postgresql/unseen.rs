//! Answers of which something was not seen.

use super::super::Calls;
use super::super::sql::Doubt;
use super::answers::Answers;
use super::middle::End;
use super::pending::Item;
use crate::connection::Moment;

impl Answers {
    /// A call is about to be sent.
    pub(super) fn begin(&mut self, at: Moment, calls: &mut Calls<'_>) {
        if self.stale {
            // The client would not go on if what it waited for had not come, but if that is much, it may.
            self.outdate(at, calls);
        }
        self.doubt.ask();
    }

    /// Some of the server's bytes were not seen.
    pub(super) fn lost(&mut self) {
        (self.blind, self.seam) = (true, true);
        self.stale = !self.items.is_empty();
    }

    /// So many `ReadyForQuery`, or more, are to come.
    fn groups(&self) -> u64 {
        let of = |item: &Item| match item {
            Item::UntilReady(_) | Item::Sync | Item::Startup => 1,
            Item::Passed { syncs, open } => *syncs + u64::from(*open),
            Item::Execute(_) | Item::Prepare(..) => 0,
        };
        let open = matches!(self.items.back(), Some(Item::Execute(_) | Item::Prepare(..)));
        self.items.iter().map(of).sum::<u64>() + u64::from(open)
    }

    /// What is waited for will not be told from what was not seen.
    fn outdate(&mut self, at: Moment, calls: &mut Calls<'_>) {
        if self.groups() > 1 {
            self.doubt = Doubt::Unsure;
        }
        self.mixed |= matches!(self.items.back(), Some(Item::Execute(_) | Item::Prepare(..)));
        self.abandon(at, calls);
    }

    /// Behind bytes that were not seen, answers are seen again. Of those to several groups, it cannot be
    /// told which these are.
    pub(super) fn resume(&mut self, at: Moment, calls: &mut Calls<'_>) {
        if std::mem::take(&mut self.seam) && self.groups() > 1 {
            self.outdate(at, calls);
        }
        self.stale = false;
    }

    /// The answers, of which something was not seen, have come to an end.
    pub(super) fn end(&mut self, end: End, at: Moment, calls: &mut Calls<'_>) {
        self.resume(at, calls);
        // Of several executions, the last one's is not the first one's.
        let only = !self.has_more() && !self.mixed;
        if end.failure.is_some() && !only && !self.doubt.is_some() {
            self.abandon(at, calls);
            return self.settle();
        }
        if let Some(pending) = self.front() {
            if !std::mem::replace(&mut pending.replied, true) {
                calls.reply(pending.call, at);
            }
            match end.failure {
                Some(failure) => pending.outcome.failure = Some(failure),
                None if only && !pending.done => pending.outcome.rows = end.rows,
                None => {}
            }
        }
        self.ready(at, calls);
        // Whether what was not seen answered these as well cannot be told.
        self.abandon(at, calls);
    }
}
