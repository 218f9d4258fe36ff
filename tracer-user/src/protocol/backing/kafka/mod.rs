//! Kafka's protocol. An answer begins with the number that its request was given.

mod api;
mod batch;
mod cursor;
mod request;
mod response;
#[cfg(test)]
mod tests;

use self::api::Api;
use self::cursor::Cursor;
use self::request::Request;
use self::response::Response;
use super::{Calls, Dialect, Found, Message, Outcome, Split};
use crate::connection::Moment;
use crate::protocol::http1::Direction;
use std::collections::VecDeque;

/// Largest message; brokers' own limit for requests is 100 MiB.
const MAX_MESSAGE: i32 = 1 << 30;
/// So much of a message is looked at.
const MAX_SHOWN: u64 = 4096;
/// The same of answers to Fetch and Metadata, which may have many batches or many topics.
const MAX_LONG: u64 = 16 * 1024;
/// Bytes of a request that tell whether it is one.
const BEGINNING: usize = 14;
/// Longest name of a client.
const MAX_CLIENT: usize = 1024;
/// Longest one in a connection's first request.
const MAX_FIRST_CLIENT: usize = 255;
/// Longest first request that names how it logs in.
const MAX_HANDSHAKE: u64 = 512;
/// Most calls whose answers are awaited at a time.
const MAX_OUTSTANDING: usize = 1024;
/// So many are given back where none is awaited.
const KEPT: usize = 4096 / size_of::<Outstanding>();

/// A request whose answer is awaited.
#[derive(Debug)]
struct Outstanding {
    call: u64,
    correlation: i32,
    api: Api,
}

/// A connection to a broker.
#[derive(Debug, Default)]
pub(in crate::protocol) struct Kafka {
    next: u64,
    outstanding: VecDeque<Outstanding>,
    /// Not all requests are known, so that there may be other answers.
    gaps: bool,
    /// So many answers in a row were to none of the requests.
    strange: u32,
}

impl Kafka {
    /// One of which nothing was seen.
    pub(in crate::protocol) fn new() -> Self {
        Self::default()
    }

    fn find(&self, correlation: i32) -> Option<usize> {
        self.outstanding.iter().position(|each| each.correlation == correlation)
    }

    /// Whether a message may have much that is to be looked at.
    fn is_long(&self, of: Direction, bytes: &[u8]) -> bool {
        let number = bytes.get(4..).filter(|_| of == Direction::Response);
        let asked = number.and_then(response::correlation).and_then(|number| self.find(number));
        let asked = asked.and_then(|index| self.outstanding.get(index));
        asked.is_some_and(|asked| matches!(asked.api.key, api::FETCH | api::METADATA))
    }

    fn request(&mut self, message: &Message<'_>, calls: &mut Calls<'_>) {
        let Some(request) = Request::read(message.bytes) else {
            return calls.tell(Found::Malformed);
        };
        let call = self.next;
        self.next += 1;
        calls.start(call, message, request.call());
        if request.is_silent() {
            return calls.end(call, message.last, Outcome::default());
        }
        if self.outstanding.len() >= MAX_OUTSTANDING
            && let Some(oldest) = self.outstanding.pop_front()
        {
            calls.tell(Found::Full);
            calls.abandon(oldest.call, message.first);
            self.gaps = true;
        }
        let (correlation, api) = (request.correlation, request.api);
        self.outstanding.push_back(Outstanding { call, correlation, api });
    }

    fn response(&mut self, message: &Message<'_>, calls: &mut Calls<'_>) {
        let bytes = message.bytes.get(4..).unwrap_or_default();
        let index = response::correlation(bytes).and_then(|correlation| self.find(correlation));
        let Some(Outstanding { call, api, .. }) =
            index.and_then(|index| self.outstanding.remove(index))
        else {
            self.strange = self.strange.saturating_add(1);
            if self.strange > 1 && !self.gaps {
                calls.tell(Found::Malformed);
            }
            return;
        };
        self.strange = 0;
        if self.outstanding.is_empty() && self.outstanding.capacity() > KEPT {
            self.outstanding.shrink_to(KEPT);
        }
        let Response { failure, log } = Response::read(api, bytes);
        calls.reply(call, message.first);
        let outcome = Outcome { failure, log, bytes: message.length, ..Outcome::default() };
        calls.end(call, message.last, outcome);
    }
}

impl Dialect for Kafka {
    fn split(&self, of: Direction, bytes: &[u8]) -> Split {
        let mut cursor = Cursor::new(bytes);
        let Some(size) = cursor.int32() else { return Split::More };
        let smallest = if of == Direction::Request { 8 } else { 4 };
        if !(smallest..=MAX_MESSAGE).contains(&size) {
            return Split::Invalid;
        }
        let length = 4 + u64::from(size.unsigned_abs());
        let needs = if of == Direction::Request { BEGINNING as u64 } else { 8 };
        if (bytes.len() as u64) < needs.min(length) {
            return Split::More;
        }
        if of == Direction::Request {
            if !is_request(bytes, length) {
                return Split::Invalid;
            }
            if self.next == 0 && !self.gaps {
                match is_first(bytes, length) {
                    None => return Split::More,
                    Some(false) => return Split::Invalid,
                    Some(true) => {}
                }
            }
        }
        let shown = if self.is_long(of, bytes) { MAX_LONG } else { MAX_SHOWN };
        Split::Message { length, want: length.min(shown) as usize }
    }

    fn begins(&self, of: Direction, bytes: &[u8]) -> bool {
        let Split::Message { .. } = self.split(of, bytes) else { return false };
        let rest = bytes.get(4..).unwrap_or_default();
        match of {
            Direction::Request => {
                let nameless = matches!(header(bytes), Some((_, 0)));
                let least = i32::from(nameless);
                Request::read(bytes).is_some_and(|request| request.correlation >= least)
            }
            Direction::Response => {
                response::correlation(rest).and_then(|number| self.find(number)).is_some()
            }
        }
    }

    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>) {
        match of {
            Direction::Request => self.request(message, calls),
            Direction::Response => self.response(message, calls),
        }
    }

    fn lost(&mut self, of: Direction, at: Moment, calls: &mut Calls<'_>) {
        self.gaps = true;
        if of == Direction::Response {
            self.outstanding.drain(..).for_each(|each| calls.abandon(each.call, at));
        }
    }

    fn ends(&mut self, _: Direction, _: &[u8], _: Moment, _: &mut Calls<'_>) -> bool {
        false
    }
}

/// Whether a message of this length is a request, by its header.
fn is_request(bytes: &[u8], length: u64) -> bool {
    let Some((api, client)) = header(bytes) else { return false };
    let Ok(client) = usize::try_from(client) else { return api.name().is_some() };
    let fits = client <= MAX_CLIENT && (BEGINNING + client) as u64 <= length;
    let name = bytes.get(BEGINNING..).unwrap_or_default();
    api.name().is_some() && fits && name.iter().take(client).all(|byte| *byte >= b' ')
}

/// Whether a request may be a connection's first one; `None` if more bytes are needed to tell. Other
/// protocols, too, begin with a length and small numbers.
fn is_first(bytes: &[u8], length: u64) -> Option<bool> {
    let Some((api, client)) = header(bytes) else { return Some(false) };
    let client = usize::try_from(client).unwrap_or(0);
    if api.key == api::SASL_HANDSHAKE {
        return is_handshake(api, bytes, client, length);
    }
    if api.greets() {
        return Some(true);
    }
    if !(1..=MAX_FIRST_CLIENT).contains(&client) {
        return Some(false);
    }
    let name = bytes.get(BEGINNING..BEGINNING + client)?;
    let plain = name.iter().all(|byte| (b' '..=b'~').contains(byte));
    Some(plain && name.iter().any(u8::is_ascii_alphabetic))
}

/// Whether all that follows the client's name is that of a mechanism. A first request of RabbitMQ's
/// streams has the same number as this one.
fn is_handshake(api: Api, bytes: &[u8], client: usize, length: u64) -> Option<bool> {
    if !api.greets() || length > MAX_HANDSHAKE {
        return Some(false);
    }
    let whole = bytes.get(..usize::try_from(length).ok()?)?;
    let mut rest = Cursor::new(whole.get(BEGINNING + client..).unwrap_or_default());
    let mechanism = rest.string().flatten().unwrap_or_default();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    Some(!mechanism.is_empty() && mechanism.iter().all(plain) && rest.take(1).is_none())
}

/// A request's kind, and how long its client's name is; negative if it has none.
fn header(bytes: &[u8]) -> Option<(Api, i16)> {
    let mut cursor = Cursor::new(bytes);
    cursor.int32()?;
    let api = Api { key: cursor.int16()?, version: cursor.int16()? };
    cursor.int32()?;
    let anonymous = api == Api { key: api::CONTROLLED_SHUTDOWN, version: 0 };
    Some((api, if anonymous { -1 } else { cursor.int16()? }))
}
