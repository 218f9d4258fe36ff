//! RESP2 and RESP3, of Redis and Valkey. A message is an element; requests are arrays of bulk strings, or
//! lines. Answers come in the order of the requests, but for what is pushed.

mod answers;
mod element;
mod nest;
mod requests;
mod rules;
mod statement;
mod stream;
#[cfg(test)]
mod tests;
mod value;

use self::answers::Answers;
use self::element::{Element, Parsed, Size, parse};
use self::requests::Requests;
use self::statement::{MAX_NAME, is_name};
use super::call::MAX_TEXT;
use super::{Calls, Dialect, Found, Message, Outcome, Split, Text};
use crate::connection::Moment;
use crate::protocol::http1::Direction;

/// So much of an answer's value is looked at: the first word of an error, the kind of what is pushed.
const MAX_SHOWN: usize = 64;

/// A connection to Redis.
#[derive(Debug)]
pub(in crate::protocol) struct Redis {
    requests: Requests,
    answers: Answers,
}

impl Redis {
    /// One of which nothing was seen.
    pub(in crate::protocol) fn new(text: Text) -> Self {
        Self { requests: Requests::new(text), answers: Answers::default() }
    }
}

impl Dialect for Redis {
    fn split(&self, of: Direction, bytes: &[u8]) -> Split {
        if self.answers.is_replication() {
            return Split::Message { length: bytes.len().max(1) as u64, want: 0 };
        }
        match of {
            Direction::Request => self.requests.split(bytes),
            Direction::Response => self.answers.split(bytes),
        }
    }

    fn begins(&self, of: Direction, bytes: &[u8]) -> bool {
        if self.answers.is_replication() {
            return true;
        }
        let Parsed::Whole(first) = parse(bytes) else { return false };
        match (of, first.size) {
            (Direction::Request, Size::Items(1..)) => {
                let rest = bytes.get(first.line..).unwrap_or_default();
                first.kind == b'*' && begins_name(rest)
            }
            (Direction::Request, _) => false,
            (Direction::Response, _) if self.answers.is_unseen() => false,
            (Direction::Response, _) => is_plausible(&first, bytes),
        }
    }

    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>) {
        if self.answers.is_replication() {
            return;
        }
        match of {
            Direction::Request => self.requests.message(message, &mut self.answers, calls),
            Direction::Response => self.answers.message(message, calls),
        }
    }

    fn lost(&mut self, of: Direction, at: Moment, calls: &mut Calls<'_>) {
        match of {
            Direction::Request => self.requests.lose(at, &mut self.answers, calls),
            Direction::Response => self.answers.lost(at, calls),
        }
    }

    fn silent_since(&mut self, time: u64) {
        self.answers.silent_since(time);
    }

    fn ends(&mut self, of: Direction, tail: &[u8], at: Moment, calls: &mut Calls<'_>) -> bool {
        of == Direction::Response && self.answers.passed(tail.ends_with(b"\r\n"), at, calls)
    }
}

/// Whether this is a bulk string that may be a command's name, or the beginning of one.
fn begins_name(bytes: &[u8]) -> bool {
    let Parsed::Whole(element) = parse(bytes) else { return false };
    let Size::Bytes(length @ 1..) = element.size else { return false };
    let name = element.value(bytes);
    element.kind == b'$' && length <= MAX_NAME as u64 && (name.is_empty() || is_name(name))
}

/// Whether an answer may begin so: what follows its first element fits to it.
fn is_plausible(first: &Element, bytes: &[u8]) -> bool {
    let rest = bytes.get(first.line..).unwrap_or_default();
    match first.size {
        Size::Bytes(length) => {
            let end = usize::try_from(length).ok().and_then(|length| rest.get(length..));
            let end = end.unwrap_or_default();
            first.kind != b';' && end.iter().zip(b"\r\n").all(|(is, must)| is == must)
        }
        Size::Items(1..) | Size::Open => !matches!(parse(rest), Parsed::Invalid),
        Size::Items(0) => true,
        // Text that is no answer may have lines that begin like this.
        Size::Line => match first.kind {
            b'+' | b'-' => first.value(bytes).iter().all(|b| !b.is_ascii_control()),
            kind => !b";.".contains(&kind),
        },
    }
}

/// A message that is this element, of whose value so much is to be shown.
fn shown(element: &Element, value: usize) -> Split {
    let length = element.length();
    let want = usize::try_from(length).unwrap_or(usize::MAX);
    Split::Message { length, want: want.min(element.line.saturating_add(value)) }
}
