//! MongoDB's wire protocol. An answer names the request that it belongs to.

mod bson;
mod calls;
mod render;
#[cfg(test)]
mod tests;
mod wire;

use self::wire::{Body, DELETE, HEADER, Header, INSERT, KILL_CURSORS, MORE_TO_COME, MSG, UPDATE};
use super::{Calls, Dialect, Found, Message, Outcome, Split, Text};
use crate::connection::Moment;
use crate::protocol::http1::Direction;
use std::collections::VecDeque;

/// So much of a message is looked at.
const MAX_SHOWN: u64 = 16 * 1024;
/// Most calls whose answers are awaited at a time.
const MAX_OUTSTANDING: usize = 1024;

/// A request whose answer is awaited.
#[derive(Debug)]
struct Outstanding {
    call: u64,
    /// What its answer, or the next part of it, names.
    request: i32,
    /// It watches the server, and may be answered again and again, for as long as the connection lasts.
    watches: bool,
    /// What it asks for could not be read; perhaps that it be not answered.
    opaque: bool,
    replied: bool,
    bytes: u64,
}

/// A connection to MongoDB.
#[derive(Debug)]
pub(in crate::protocol) struct MongoDb {
    text: Text,
    next: u64,
    outstanding: VecDeque<Outstanding>,
}

impl MongoDb {
    /// One of which nothing was seen.
    pub(in crate::protocol) fn new(text: Text) -> Self {
        Self { text, next: 0, outstanding: VecDeque::new() }
    }

    fn request(
        &mut self,
        header: Header,
        bytes: &[u8],
        message: &Message<'_>,
        calls: &mut Calls<'_>,
    ) {
        let body = Body::read(header.opcode, bytes);
        let silent = match &body {
            Body::Message { flags, .. } => flags & MORE_TO_COME != 0,
            Body::Legacy { opcode, .. } => {
                matches!(*opcode, INSERT | UPDATE | DELETE | KILL_CURSORS)
            }
            Body::Reply { .. } | Body::Opaque => false,
        };
        let (call, asks) = (self.next, calls::call(&body, self.text));
        self.next += 1;
        self.abandon_opaque(message.first, calls);
        let greets =
            |name: &str| ["hello", "ismaster"].iter().any(|own| name.eq_ignore_ascii_case(own));
        let watches = asks.operation.as_deref().is_some_and(greets);
        calls.start(call, message, asks);
        if silent {
            return calls.end(call, message.last, Outcome::default());
        }
        if self.outstanding.len() >= MAX_OUTSTANDING
            && let Some(oldest) = self.outstanding.pop_front()
        {
            calls.tell(Found::Full);
            calls.abandon(oldest.call, message.first);
        }
        let (request, opaque) = (header.request, matches!(body, Body::Opaque));
        self.outstanding.push_back(Outstanding {
            call,
            request,
            watches,
            opaque,
            replied: false,
            bytes: 0,
        });
    }

    /// A further request begins. Drivers wait for an answer on a connection before they send the next
    /// request, so that none will come to one that cannot be read.
    fn abandon_opaque(&mut self, at: Moment, calls: &mut Calls<'_>) {
        self.outstanding.retain(|each| {
            if each.opaque {
                calls.abandon(each.call, at);
            }
            !each.opaque
        });
    }

    fn reply(
        &mut self,
        header: Header,
        bytes: &[u8],
        message: &Message<'_>,
        calls: &mut Calls<'_>,
    ) {
        let index = self.outstanding.iter().position(|each| each.request == header.answers);
        let Some(index) = index else { return };
        let Some(each) = self.outstanding.get_mut(index) else { return };
        if !std::mem::replace(&mut each.replied, true) {
            calls.reply(each.call, message.first);
        }
        each.bytes = each.bytes.saturating_add(message.length);
        let body = Body::read(header.opcode, bytes);
        let more = matches!(body, Body::Message { flags, .. } if flags & MORE_TO_COME != 0);
        if more && !each.watches {
            each.request = header.request;
            return;
        }
        let rows = match body {
            Body::Reply { returned, .. } => u64::try_from(returned).ok(),
            Body::Message { .. } | Body::Legacy { .. } | Body::Opaque => None,
        };
        let (call, bytes, failure) = (each.call, each.bytes, calls::failure(&body));
        self.outstanding.remove(index);
        calls.end(call, message.last, Outcome { failure, rows, bytes, ..Outcome::default() });
    }
}

impl Dialect for MongoDb {
    fn split(&self, of: Direction, bytes: &[u8]) -> Split {
        match Header::read(bytes) {
            Some((header, _)) if fits(of, header) => Split::Message {
                length: header.length,
                want: header.length.min(MAX_SHOWN) as usize,
            },
            None if bytes.len() < HEADER => Split::More,
            Some(_) | None => Split::Invalid,
        }
    }

    fn begins(&self, of: Direction, bytes: &[u8]) -> bool {
        let Some((header, rest)) = Header::read(bytes) else { return false };
        let asks = of == Direction::Request;
        let readable = header.opcode != MSG || !matches!(Body::read(MSG, rest), Body::Opaque);
        // Some drivers read the header apart.
        let awaited = || self.outstanding.iter().any(|each| each.request == header.answers);
        fits(of, header) && asks == (header.answers == 0) && (readable || (!asks && awaited()))
    }

    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>) {
        match (Header::read(message.bytes), of) {
            (None, _) => calls.tell(Found::Malformed),
            (Some((header, rest)), Direction::Request) => {
                self.request(header, rest, message, calls)
            }
            (Some((header, rest)), Direction::Response) => self.reply(header, rest, message, calls),
        }
    }

    fn lost(&mut self, of: Direction, at: Moment, calls: &mut Calls<'_>) {
        if of == Direction::Response {
            self.outstanding.drain(..).for_each(|each| calls.abandon(each.call, at));
        }
    }

    fn ends(&mut self, _: Direction, _: &[u8], _: Moment, _: &mut Calls<'_>) -> bool {
        false
    }
}

/// Whether a message may go this way.
fn fits(of: Direction, header: Header) -> bool {
    match of {
        Direction::Request => header.is_request(),
        Direction::Response => header.is_response(),
    }
}
