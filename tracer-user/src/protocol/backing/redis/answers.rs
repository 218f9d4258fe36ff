//! What a server sends, and which commands it answers.

use super::element::{Element, Parsed, Size, parse};
use super::nest::Nest;
use super::value::{Kind, Of, Outstanding, Value, failure};
use super::{Calls, Found, MAX_SHOWN, Message, Outcome, Split, shown};
use crate::connection::Moment;
use crate::protocol::backing::doubt::Doubt;
use std::collections::VecDeque;

/// Most commands whose answers are awaited at a time: clients pipeline tens of thousands.
pub(super) const MAX_OUTSTANDING: usize = 1 << 16;
/// So many are given back where none is awaited: a burst is not paid for as long as the connection lasts.
const KEPT: usize = 4096 / size_of::<Outstanding>();

/// The direction of answers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    outstanding: VecDeque<Outstanding>,
    /// Behind those, there are so many that are not remembered.
    forgotten: u64,
    /// Whether the next answer is the first outstanding command's, or the next one's, if there is none.
    doubt: Doubt,
    nest: Nest,
    value: Option<Value>,
    /// Bytes of the only outstanding command's answer were not seen: just its end may still be.
    unseen: bool,
    namespace: Option<u32>,
    /// So many confirmations belong to a command that is answered.
    confirmations: u32,
    subscribed: bool,
    monitoring: bool,
    replication: bool,
}

impl Answers {
    /// The connection has become a stream of writes for a replica, which nothing tells apart.
    pub(super) fn is_replication(&self) -> bool {
        self.replication
    }

    /// Nothing but the end of an answer can be told: its elements cannot.
    pub(super) fn is_unseen(&self) -> bool {
        self.unseen
    }

    pub(super) fn namespace(&self) -> Option<String> {
        self.namespace.map(|number| number.to_string())
    }

    /// There is no room for another command.
    pub(super) fn is_full(&self) -> bool {
        self.forgotten > 0 || self.outstanding.len() >= MAX_OUTSTANDING
    }

    /// One passed that will be answered, and that there was no room for.
    pub(super) fn skip(&mut self) {
        self.forgotten += 1;
    }

    /// One passed that will be answered.
    pub(super) fn expect(&mut self, call: u64, kind: Kind, at: Moment, calls: &mut Calls<'_>) {
        if std::mem::take(&mut self.unseen) {
            // A further request: the answer has most likely come to its end, unnoticed.
            self.value = None;
            self.abandon(at, calls);
        }
        if self.doubt.request(!self.outstanding.is_empty(), at) {
            self.outstanding.push_back(Outstanding { call, kind });
        } else {
            // Whether the next answer is its or that of one before it cannot be told.
            self.forget(kind);
            calls.abandon(call, at);
        }
    }

    fn abandon(&mut self, at: Moment, calls: &mut Calls<'_>) {
        while let Some(Outstanding { call, kind }) = self.outstanding.pop_front() {
            self.forget(kind);
            calls.abandon(call, at);
        }
        self.shrink();
    }

    /// Whether it was done will not be known, and with it the database.
    fn forget(&mut self, kind: Kind) {
        if matches!(kind, Kind::Select(_) | Kind::Reset) {
            self.namespace = None;
        }
    }

    /// Requests were not seen. Where nothing is outstanding, it is likely that a client that was seen to
    /// wait for each answer waits, and that the next one is that of the next request.
    pub(super) fn requests_lost(&mut self) {
        let serial = self.outstanding.len() <= 1 && self.forgotten == 0;
        self.doubt.begin(None, serial);
    }

    /// Nothing has moved since then.
    pub(super) fn silent_since(&mut self, time: u64) {
        self.doubt.silent_since(time);
    }

    /// The end of this request was not seen, but the beginning was: its answer is the next one, if none
    /// is to come before it.
    pub(super) fn expect_cut(&mut self, call: u64, kind: Kind, at: Moment, calls: &mut Calls<'_>) {
        let next = self.outstanding.is_empty() && self.forgotten == 0 && !self.doubt.doubts();
        if next && kind == Kind::Plain && self.doubt.request(false, at) {
            self.outstanding.push_back(Outstanding { call, kind });
        } else {
            calls.abandon(call, at);
        }
    }

    pub(super) fn split(&self, bytes: &[u8]) -> Split {
        if self.synchronizes() {
            // The snapshot behind its length has no end of a line, and empty lines keep the peer waiting.
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let length = end.map(|end| end + 1);
            let split = |length| Split::Message { length: length as u64, want: length };
            return length.map_or(Split::More, split);
        }
        match parse(bytes) {
            Parsed::More => Split::More,
            Parsed::Whole(element) if self.nest.allows(&element) => shown(&element, MAX_SHOWN),
            Parsed::Whole(_) | Parsed::Invalid => Split::Invalid,
        }
    }

    fn synchronizes(&self) -> bool {
        let first = self.outstanding.front();
        self.value.is_none() && first.is_some_and(|first| first.kind == Kind::Sync)
    }

    pub(super) fn message(&mut self, message: &Message<'_>, calls: &mut Calls<'_>) {
        if self.synchronizes() {
            return self.synchronize(message, calls);
        }
        let element = match parse(message.bytes) {
            Parsed::Whole(element) if self.nest.allows(&element) => element,
            Parsed::Whole(_) | Parsed::More | Parsed::Invalid => {
                return calls.tell(Found::Malformed);
            }
        };
        let text = element.value(message.bytes);
        let mut value =
            self.value.take().unwrap_or_else(|| self.open(&element, text, message, calls));
        value.bytes = value.bytes.saturating_add(message.length);
        let depth = self.nest.depth();
        if depth == 1 && value.of == Of::Unknown {
            self.decide(&mut value, text, calls);
        }
        if depth == 1 && element.kind == b':' {
            value.subscriptions = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        }
        if depth == 0 && matches!(element.kind, b'-' | b'!') {
            value.failure = Some(failure(text));
        }
        if depth == 0 && element.kind == b'+' {
            value.accepts = text != b"QUEUED";
        }
        if self.nest.take(&element) {
            self.close(value, message.last, calls);
        } else {
            self.value = Some(value);
        }
    }

    /// The line before a stream of writes, or one that keeps the peer waiting.
    fn synchronize(&mut self, message: &Message<'_>, calls: &mut Calls<'_>) {
        let line = message.bytes.trim_ascii();
        if line.is_empty() {
            return;
        }
        if let Some(Outstanding { call, .. }) = self.outstanding.pop_front() {
            let failure = line.strip_prefix(b"-").map(failure);
            self.replication = failure.is_none();
            calls.reply(call, message.first);
            calls.end(
                call,
                message.last,
                Outcome { failure, bytes: message.length, ..Outcome::default() },
            );
            self.doubt.matched(message.last);
        }
    }

    /// A value begins.
    fn open(
        &self,
        element: &Element,
        text: &[u8],
        message: &Message<'_>,
        calls: &mut Calls<'_>,
    ) -> Value {
        let first = self.outstanding.front();
        let confirmed = first.is_some_and(|first| matches!(first.kind, Kind::Subscribe(_)));
        let holds = matches!(element.size, Size::Items(1..));
        let of = match element.kind {
            b'>' if holds => Of::Unknown,
            b'>' => Of::Push,
            b'+' if self.monitoring && text.first().is_some_and(u8::is_ascii_digit) => Of::Push,
            b'*' if holds && (self.subscribed || confirmed || self.confirmations > 0) => {
                Of::Unknown
            }
            _ if first.is_some() => Of::Command,
            _ => Of::Forgotten,
        };
        if let (Of::Command, Some(first)) = (of, first) {
            calls.reply(first.call, message.first);
        }
        Value::new(of, element.kind, message.first)
    }

    /// An array's or a push's first element tells whose it is.
    fn decide(&mut self, value: &mut Value, text: &[u8], calls: &mut Calls<'_>) {
        let first = self.outstanding.front();
        value.confirms = text.ends_with(b"subscribe");
        let news = matches!(text, b"message" | b"pmessage" | b"smessage");
        value.of = match first {
            _ if value.confirms && self.confirmations > 0 => {
                self.confirmations -= 1;
                Of::Push
            }
            Some(Outstanding { call, kind: Kind::Subscribe(channels) }) if value.confirms => {
                calls.reply(*call, value.first);
                self.confirmations = channels.saturating_sub(1);
                Of::Command
            }
            _ if value.confirms || news || value.opens == b'>' => Of::Push,
            Some(Outstanding { call, .. }) => {
                calls.reply(*call, value.first);
                Of::Command
            }
            None => Of::Forgotten,
        };
    }

    /// A value ends.
    fn close(&mut self, value: Value, at: Moment, calls: &mut Calls<'_>) {
        self.nest.clear();
        if value.confirms && value.opens == b'*' {
            self.subscribed = value.subscriptions.is_some_and(|count| count > 0);
        }
        match value.of {
            Of::Command => self.answer(value, at, calls),
            Of::Forgotten if self.forgotten > 0 => self.forgotten -= 1,
            Of::Forgotten => self.doubt.answer(at),
            Of::Unknown | Of::Push => {}
        }
    }

    fn answer(&mut self, value: Value, at: Moment, calls: &mut Calls<'_>) {
        let Some(Outstanding { call, kind }) = self.outstanding.pop_front() else { return };
        match kind {
            Kind::Select(number) if value.accepts => self.namespace = Some(number),
            Kind::Reset if value.accepts => {
                self.namespace = Some(0);
                (self.subscribed, self.monitoring, self.confirmations) = (false, false, 0);
            }
            Kind::Monitor => self.monitoring |= value.accepts,
            Kind::Plain | Kind::Select(_) | Kind::Reset | Kind::Subscribe(_) | Kind::Sync => {}
        }
        calls.end(
            call,
            at,
            Outcome { failure: value.failure, bytes: value.bytes, ..Outcome::default() },
        );
        self.doubt.matched(at);
        self.shrink();
    }

    /// Bytes for those that are outstanding.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.outstanding.capacity() * size_of::<Outstanding>()
    }

    fn shrink(&mut self) {
        if self.outstanding.is_empty() && self.outstanding.capacity() > KEPT {
            self.outstanding.shrink_to(KEPT);
        }
    }

    /// Bytes were not seen. A single command's answer may still be seen to end.
    pub(super) fn lost(&mut self, at: Moment, calls: &mut Calls<'_>) {
        let awaited = self.outstanding.len() as u64 + self.forgotten;
        self.nest.clear();
        (self.forgotten, self.confirmations) = (0, 0);
        self.value = self.value.take().filter(|value| value.of == Of::Command);
        self.unseen = awaited == 1;
        self.doubt.begin(Some(awaited), awaited <= 1);
        if !self.unseen {
            self.value = None;
            self.abandon(at, calls);
        }
    }

    /// An operation passed of which it is not known what it was, and ended like an answer, or did not:
    /// whether it ends the only command.
    pub(super) fn passed(&mut self, ends: bool, at: Moment, calls: &mut Calls<'_>) -> bool {
        match self.outstanding.len() {
            0 => {
                self.doubt.passed(at);
                return false;
            }
            1 if ends => {}
            1 => {
                self.unseen = true;
                return false;
            }
            _ => {
                self.lost(at, calls);
                return false;
            }
        }
        self.unseen = false;
        let Some(Outstanding { call, .. }) = self.outstanding.pop_front() else { return false };
        let bytes = self.value.take().map(|value| value.bytes);
        if bytes.is_none() {
            calls.reply(call, at);
        }
        calls.end(call, at, Outcome { bytes: bytes.unwrap_or(0), ..Outcome::default() });
        self.doubt.matched(at);
        true
    }
}
