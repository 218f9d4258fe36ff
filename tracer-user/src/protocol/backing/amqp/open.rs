//! Calls that are not over.

use std::collections::VecDeque;

use super::{Call, Calls, Failure, Found, Message, Moment, Outcome};

/// Most calls at a time.
pub(super) const MAX_OPEN: usize = 1024;
/// So many are given back where none is open.
const KEPT: usize = 4096 / size_of::<Open>();

/// What a call waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The rest of a message, and if it has a number, the broker's word on it.
    Publish {
        tag: Option<u64>,
        /// Not all of it has been sent.
        sending: bool,
        /// Where it goes to, if it may come back.
        returns: Option<Box<[u8]>>,
    },
    /// A message, or that there is none.
    Get,
}

/// A call.
#[derive(Debug)]
pub(super) struct Open {
    call: u64,
    pub(super) channel: u16,
    pub(super) waits: Waits,
    /// Until it is told.
    asks: Option<Box<Call>>,
    replied: bool,
    failure: Option<Failure>,
    /// Of the answer, so far.
    bytes: u64,
}

/// How calls end.
#[derive(Debug)]
pub(super) enum End<'a> {
    /// With this message from the broker.
    Answered { by: &'a Message<'a>, failure: Option<Failure> },
    /// By themselves.
    Over { at: Moment, failure: Option<Failure> },
    /// Nobody knows how.
    Abandoned(Moment),
}

impl Open {
    /// Tells what it asks for, with what is known of it by now.
    pub(super) fn ask(&mut self, calls: &mut Calls<'_>, describe: impl FnOnce(&mut Call)) {
        if let Some(mut asks) = self.asks.take() {
            describe(&mut asks);
            calls.tell(Found::Asked { call: self.call, asks });
        }
    }

    /// More is known of what it asks for.
    pub(super) fn note(&mut self, describe: impl FnOnce(&mut Call)) {
        if let Some(asks) = &mut self.asks {
            describe(asks);
        }
    }

    /// Something of the answer has come.
    pub(super) fn reply(&mut self, by: &Message<'_>, calls: &mut Calls<'_>) {
        self.bytes = self.bytes.saturating_add(by.length);
        if !std::mem::replace(&mut self.replied, true) {
            calls.reply(self.call, by.first);
        }
    }

    fn end(&mut self, how: &End<'_>, calls: &mut Calls<'_>) {
        self.ask(calls, |_| {});
        let (at, failure) = match how {
            End::Abandoned(at) => return calls.abandon(self.call, *at),
            End::Answered { by, failure } => {
                self.reply(by, calls);
                (by.last, failure)
            }
            End::Over { at, failure } => (*at, failure),
        };
        let failure = self.failure.take().or_else(|| failure.clone());
        calls.end(self.call, at, Outcome { failure, bytes: self.bytes, ..Outcome::default() });
    }
}

/// Those of a connection, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    next: u64,
    open: VecDeque<Open>,
}

impl OpenCalls {
    /// One begins with this message. `None`: there are too many.
    pub(super) fn begin(
        &mut self,
        channel: u16,
        waits: Waits,
        asks: Call,
        message: &Message<'_>,
        calls: &mut Calls<'_>,
    ) -> Option<u64> {
        if self.open.len() >= MAX_OPEN {
            calls.tell(Found::Full);
            return None;
        }
        let call = self.next;
        self.next += 1;
        calls.tell(Found::Started { call, at: message.first, position: message.position });
        let asks = Some(Box::new(asks));
        self.open.push_back(Open {
            call,
            channel,
            waits,
            asks,
            replied: false,
            failure: None,
            bytes: 0,
        });
        Some(call)
    }

    /// The last ones are looked for most.
    pub(super) fn get(&mut self, call: u64) -> Option<&mut Open> {
        self.open.iter_mut().rev().find(|open| open.call == call)
    }

    /// The channel's oldest one that awaits a message.
    pub(super) fn getting(&mut self, channel: u16) -> Option<(u64, &mut Open)> {
        let gets = |open: &&mut Open| open.channel == channel && open.waits == Waits::Get;
        self.open.iter_mut().find(gets).map(|open| (open.call, open))
    }

    /// The broker has nobody to give a message to: the oldest one of the channel that went there.
    pub(super) fn returned(&mut self, channel: u16, to: &[u8], why: Failure) {
        let went = |open: &&mut Open| {
            let Waits::Publish { returns, .. } = &open.waits else { return false };
            open.channel == channel && open.failure.is_none() && returns.as_deref() == Some(to)
        };
        if let Some(open) = self.open.iter_mut().find(went) {
            open.failure = Some(why);
        }
    }

    /// Ends one.
    pub(super) fn end(&mut self, call: u64, how: &End<'_>, calls: &mut Calls<'_>) {
        let index = self.open.iter().rposition(|open| open.call == call);
        self.end_at(index, how, calls);
    }

    /// Ends the message with this number.
    pub(super) fn confirmed(
        &mut self,
        channel: u16,
        tag: u64,
        how: &End<'_>,
        calls: &mut Calls<'_>,
    ) {
        let index = self.open.iter().position(|open| {
            open.channel == channel
                && matches!(open.waits, Waits::Publish { tag: Some(own), .. } if own == tag)
        });
        self.end_at(index, how, calls);
    }

    fn end_at(&mut self, index: Option<usize>, how: &End<'_>, calls: &mut Calls<'_>) {
        if let Some(mut open) = index.and_then(|index| self.open.remove(index)) {
            open.end(how, calls);
            self.shrink();
        }
    }

    /// Ends all such ones.
    pub(super) fn end_all(
        &mut self,
        which: impl Fn(&Open) -> bool,
        how: &End<'_>,
        calls: &mut Calls<'_>,
    ) {
        self.open.retain_mut(|open| {
            let ends = which(open);
            if ends {
                open.end(how, calls);
            }
            !ends
        });
        self.shrink();
    }

    fn shrink(&mut self) {
        if self.open.is_empty() && self.open.capacity() > KEPT {
            self.open.shrink_to(KEPT);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}
