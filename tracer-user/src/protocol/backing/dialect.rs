//! What a protocol of a backing service has to know.

use std::fmt::Debug;

use super::{Call, Outcome};
use crate::connection::Moment;
use crate::protocol::http1::Direction;

/// One connection's protocol. It sees messages, and says which calls they make up. It keeps nothing
/// that grows with the traffic beyond a bound: outstanding calls, and prepared statements.
pub(in crate::protocol) trait Dialect: Debug + Send {
    /// Where the next message ends. `bytes`: the first ones of it, as many as are known; never empty.
    /// What comes of hostile or of other protocols' bytes must be [`Split::Invalid`].
    fn split(&self, of: Direction, bytes: &[u8]) -> Split;

    /// Whether a message of this protocol is likely to begin here: asked at the beginning of an
    /// operation, where it is not known where messages begin (the connection was met in the middle, or
    /// bytes of it were not seen). Stricter than [`Dialect::split`].
    fn begins(&self, of: Direction, bytes: &[u8]) -> bool;

    /// A message has passed.
    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>);

    /// Some bytes of a direction were not seen, and it is not known where its next message begins.
    /// Calls of which the answers (or the request, if it is under way) cannot be told any more are to be
    /// abandoned, unless [`Dialect::ends`] will tell.
    fn lost(&mut self, of: Direction, at: Moment, calls: &mut Calls<'_>);

    /// Of a connection that was met in the middle: nothing has moved on it since then (boot time).
    fn silent_since(&mut self, _time: u64) {}

    /// Where that is not known: an operation ended with these bytes. If they show that answers end here
    /// (a result set whose middle was not copied ends like this), the calls that these answer are ended,
    /// and `true` says that the next message begins with the next byte.
    fn ends(&mut self, of: Direction, tail: &[u8], at: Moment, calls: &mut Calls<'_>) -> bool;
}

/// Where a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocol) enum Split {
    /// More bytes are needed to tell. (Where more than 64 KiB are, it is invalid.)
    More,
    /// It is `length` bytes long (at least 1), of which the first `want` are to be shown.
    Message { length: u64, want: usize },
    /// It is none of this protocol.
    Invalid,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub(in crate::protocol) struct Message<'a> {
    /// Its first bytes: as many as were wanted, or fewer where the rest was not copied.
    pub(in crate::protocol) bytes: &'a [u8],
    /// How long it is.
    pub(in crate::protocol) length: u64,
    /// Position of its first byte in its direction's stream.
    pub(in crate::protocol) position: u64,
    /// The operation that moved its first byte.
    pub(in crate::protocol) first: Moment,
    /// The one that moved its last byte.
    pub(in crate::protocol) last: Moment,
}

/// What a dialect finds out, of calls by numbers of its own choice, which are used once in a connection.
#[derive(Debug)]
pub(in crate::protocol) enum Found {
    /// A request begins with the byte at this position. Every other thing is told after this.
    Started { call: u64, at: Moment, position: u64 },
    /// What it asks for; told once, right behind `Started` or later, but before `Ended`.
    Asked { call: u64, asks: Box<Call> },
    /// The answer's first byte.
    Replied { call: u64, at: Moment },
    /// The answer's last byte, or if none is to come, the request's.
    Ended { call: u64, at: Moment, outcome: Outcome },
    /// How it came out will not be known, because bytes were not seen.
    Abandoned { call: u64, at: Moment },
    /// The service has sent something unasked: a message to a consumer. It begins with the answers' byte
    /// at this position, and has come in full.
    Delivered { position: u64, first: Moment, last: Moment, asks: Box<Call> },
    /// What was seen is no message of the protocol, and will be passed over.
    Malformed,
    /// A table is full: a call, a prepared statement is not remembered.
    Full,
}

/// Where a dialect writes its findings.
#[derive(Debug)]
pub(in crate::protocol) struct Calls<'a> {
    found: &'a mut Vec<Found>,
}

impl<'a> Calls<'a> {
    /// Into this list.
    pub(super) fn new(found: &'a mut Vec<Found>) -> Self {
        Self { found }
    }

    /// Something was found out.
    pub(super) fn tell(&mut self, found: Found) {
        self.found.push(found);
    }

    /// A request begins with this message, and asks for this.
    pub(super) fn start(&mut self, call: u64, message: &Message<'_>, asks: Call) {
        self.tell(Found::Started { call, at: message.first, position: message.position });
        self.tell(Found::Asked { call, asks: Box::new(asks) });
    }

    /// The answer's first byte.
    pub(super) fn reply(&mut self, call: u64, at: Moment) {
        self.tell(Found::Replied { call, at });
    }

    /// The answer's last byte.
    pub(super) fn end(&mut self, call: u64, at: Moment, outcome: Outcome) {
        self.tell(Found::Ended { call, at, outcome });
    }

    /// How it came out will not be known.
    pub(super) fn abandon(&mut self, call: u64, at: Moment) {
        self.tell(Found::Abandoned { call, at });
    }
}
