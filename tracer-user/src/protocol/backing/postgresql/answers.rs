//! What answers are to come, in their order.

use std::collections::VecDeque;

use super::super::sql::Doubt;
use super::super::{Calls, Failure, Message};
use super::pending::{Item, Pending, Says, Until};
use crate::connection::Moment;

/// Most calls that wait for their answers.
const MAX_CALLS: usize = 256;

/// Most answers that are waited for.
const MAX_ITEMS: usize = 1024;

/// What is waited for.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) items: VecDeque<Item>,
    pub(super) calls: usize,
    /// The server passes over everything up to the next `Sync`, because of this.
    pub(super) skipping: Option<Failure>,
    /// The client sends rows, and the server passes over every `Sync` among them.
    pub(super) copying: bool,
    /// Bytes of the group's answers were not seen.
    pub(super) blind: bool,
    /// Nothing was seen since.
    pub(super) seam: bool,
    /// All that is waited for was sent before that.
    pub(super) stale: bool,
    /// Of the group, there are answers to what is waited for no more.
    pub(super) mixed: bool,
    pub(super) doubt: Doubt,
}

impl Answers {
    /// Whether another call can be remembered.
    pub(super) fn has_room(&self) -> bool {
        !matches!(self.items.back(), Some(Item::Passed { .. }))
            && self.calls < MAX_CALLS
            && self.items.len() < MAX_ITEMS
    }

    /// A call was sent.
    pub(super) fn call(&mut self, call: u64, until: Until) {
        let mut pending = Pending::new(call);
        self.calls += 1;
        self.items.push_back(match until {
            Until::Ready => Item::UntilReady(pending),
            Until::Synced => {
                pending.outcome.failure = self.skipping.take_if(|_| self.items.is_empty());
                Item::UntilReady(pending)
            }
            Until::Complete => Item::Execute(pending),
            Until::Prepared(described) => Item::Prepare(pending, described),
        });
    }

    /// A call was sent for which there is no room. `ready`: `ReadyForQuery` will be its end.
    pub(super) fn pass(&mut self, ready: bool) {
        match self.items.back_mut() {
            Some(Item::Passed { syncs, open }) => {
                *syncs += u64::from(ready);
                *open = !ready;
            }
            _ => self.items.push_back(Item::Passed { syncs: u64::from(ready), open: !ready }),
        }
    }

    /// The client has sent `Sync`.
    pub(super) fn sync(&mut self) {
        match self.items.back() {
            _ if self.copying => {}
            Some(Item::Passed { .. }) => self.pass(true),
            _ if self.items.len() >= MAX_ITEMS => self.pass(true),
            _ => self.items.push_back(Item::Sync),
        }
    }

    /// The client has sent its first message.
    pub(super) fn startup(&mut self) {
        if self.has_room() {
            self.items.push_back(Item::Startup);
        }
    }

    /// The client has sent the last of its rows.
    pub(super) fn copied(&mut self) {
        self.copying = false;
    }

    /// The server has sent something.
    pub(super) fn answer(&mut self, says: Says, message: &Message<'_>, calls: &mut Calls<'_>) {
        let at = message.last;
        self.resume(at, calls);
        if self.doubt.is_some() {
            if let Says::Ready = says {
                self.ready(at, calls);
            }
            return;
        }
        let others = self.mixed && !matches!(says, Says::Ready);
        if let Some(pending) = self.front().filter(|_| !others) {
            pending.outcome.bytes = pending.outcome.bytes.saturating_add(message.length);
            if !std::mem::replace(&mut pending.replied, true) {
                calls.reply(pending.call, message.first);
            }
        }
        match says {
            Says::More => {}
            Says::DataRow => {
                if let Some(pending) = self.front() {
                    pending.data_rows += 1;
                }
            }
            Says::Parsed => self.prepared(false, at, calls),
            Says::Described => self.prepared(true, at, calls),
            Says::Complete(rows) => self.complete(rows, at, calls),
            Says::Suspended => {
                let rows = self.front().map(|pending| pending.data_rows);
                self.complete(rows.filter(|_| !self.blind), at, calls);
            }
            Says::Error(failure) => self.error(failure, at, calls),
            Says::Fatal(failure) => {
                if let Some(pending) = self.front() {
                    pending.outcome.failure = Some(failure);
                    self.finish(at, calls);
                }
                self.abandon(at, calls);
            }
            Says::CopyIn => self.copy_in(),
            Says::CopyBoth => {
                self.finish(at, calls);
                self.abandon(at, calls);
            }
            Says::Ready => self.ready(at, calls),
        }
    }

    pub(super) fn abandon(&mut self, at: Moment, calls: &mut Calls<'_>) {
        for mut item in self.items.drain(..) {
            if let Some(pending) = item.pending() {
                calls.abandon(pending.call, at);
            }
        }
        (self.calls, self.copying, self.stale) = (0, false, false);
    }

    /// The first call is not the only one of its group.
    pub(super) fn has_more(&self) -> bool {
        let several =
            |item: Option<&Item>| matches!(item, Some(Item::Execute(_) | Item::Prepare(..)));
        several(self.items.front()) && several(self.items.get(1))
    }

    pub(super) fn front(&mut self) -> Option<&mut Pending> {
        self.items.front_mut()?.pending()
    }

    /// The first call's answer is whole.
    fn finish(&mut self, at: Moment, calls: &mut Calls<'_>) {
        if self.doubt.is_some() {
            return self.give_up(at, calls);
        }
        if let Some(pending) = self.items.pop_front().as_mut().and_then(Item::pending) {
            self.calls = self.calls.saturating_sub(1);
            calls.end(pending.call, at, std::mem::take(&mut pending.outcome));
        }
    }

    /// The first call's answer will not be known.
    pub(super) fn give_up(&mut self, at: Moment, calls: &mut Calls<'_>) {
        if let Some(pending) = self.items.pop_front().as_mut().and_then(Item::pending) {
            self.calls = self.calls.saturating_sub(1);
            calls.abandon(pending.call, at);
        }
    }

    fn prepared(&mut self, description: bool, at: Moment, calls: &mut Calls<'_>) {
        if self.mixed || self.blind && self.has_more() {
            return;
        }
        if matches!(self.items.front(), Some(Item::Prepare(_, last)) if *last == description) {
            self.finish(at, calls);
        }
    }

    fn complete(&mut self, rows: Option<u64>, at: Moment, calls: &mut Calls<'_>) {
        let unclear = self.mixed || self.blind && self.has_more();
        let synced = matches!(self.items.get(1), Some(Item::Sync));
        match self.items.front_mut() {
            Some(Item::UntilReady(pending)) => {
                let sum = &mut pending.outcome.rows;
                *sum = rows.map(|rows| sum.unwrap_or(0).saturating_add(rows)).or(*sum);
            }
            // Of which of them something was not seen cannot be told.
            Some(Item::Execute(_)) if unclear => {}
            Some(Item::Execute(pending)) if !pending.done => {
                pending.outcome.rows = rows;
                pending.done = true;
                if !synced {
                    self.finish(at, calls);
                }
            }
            _ => {}
        }
    }

    fn error(&mut self, failure: Failure, at: Moment, calls: &mut Calls<'_>) {
        let synced = matches!(self.items.get(1), Some(Item::Sync));
        if self.mixed || self.blind && self.has_more() {
            // Whose error it is cannot be told.
            while matches!(self.items.front(), Some(Item::Execute(_) | Item::Prepare(..))) {
                self.give_up(at, calls);
            }
            if let Some(Item::UntilReady(_)) = self.items.front() {
                self.give_up(at, calls);
                self.items.push_front(Item::Sync);
            }
            (self.skipping, self.copying) = (Some(failure), false);
            return;
        }
        match self.items.front_mut() {
            Some(Item::UntilReady(pending)) => pending.outcome.failure = Some(failure),
            Some(Item::Execute(pending) | Item::Prepare(pending, _)) => {
                pending.outcome.failure = Some(failure.clone());
                (pending.done, self.copying) = (true, false);
                self.skipping = Some(failure);
                if !synced {
                    self.finish(at, calls);
                }
            }
            Some(Item::Startup) => {
                self.items.pop_front();
            }
            None => self.skipping = Some(failure),
            Some(Item::Sync | Item::Passed { .. }) => {}
        }
    }

    /// The server waits for rows: it has passed over, or will, every `Sync` sent so far.
    fn copy_in(&mut self) {
        if matches!(self.items.front(), Some(Item::Execute(_))) {
            while matches!(self.items.get(1), Some(Item::Sync)) {
                self.items.remove(1);
            }
            self.copying = true;
        }
    }

    pub(super) fn ready(&mut self, at: Moment, calls: &mut Calls<'_>) {
        let unasked = self.items.is_empty();
        loop {
            match self.items.front_mut() {
                Some(Item::Execute(pending) | Item::Prepare(pending, _)) => {
                    if !pending.done {
                        pending.outcome.failure =
                            pending.outcome.failure.take().or_else(|| self.skipping.clone());
                    }
                    self.finish(at, calls);
                    continue;
                }
                Some(Item::UntilReady(_)) => self.finish(at, calls),
                Some(Item::Passed { syncs, open }) => {
                    *syncs = syncs.saturating_sub(1);
                    if *syncs == 0 && !*open {
                        self.items.pop_front();
                    }
                }
                Some(Item::Sync | Item::Startup) => {
                    self.items.pop_front();
                }
                None => {}
            }
            break;
        }
        if unasked {
            self.doubt.unasked();
        } else if self.items.is_empty() {
            self.doubt.answer();
        }
        self.settle();
    }

    /// A group is over.
    pub(super) fn settle(&mut self) {
        (self.skipping, self.blind, self.copying) = (None, false, false);
        (self.seam, self.stale, self.mixed) = (false, false, false);
    }
}
