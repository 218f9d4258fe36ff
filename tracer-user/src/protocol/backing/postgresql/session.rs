//! A connection for the tests.

use super::PostgreSql;
use crate::protocol::backing::testing::{at, feed};
use crate::protocol::backing::{Call, Found, Outcome, Text};
use crate::protocol::http1::Direction::{self, Request, Response};

pub(super) const READY: &[u8] = b"Z\0\0\0\x05I";
pub(super) const SYNC: &[u8] = b"S\0\0\0\x04";
pub(super) const PARSED: &[u8] = b"1\0\0\0\x04";
pub(super) const BOUND: &[u8] = b"2\0\0\0\x04";
pub(super) const NO_DATA: &[u8] = b"n\0\0\0\x04";
pub(super) const ROW: &[u8] = b"D\0\0\0\x0b\0\x01\0\0\0\x017";
pub(super) const COLUMNS: &[u8] =
    b"T\0\0\0\x1a\0\x01x\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";
pub(super) const FAILED: &[u8] = b"E\0\0\0\x24SERROR\0VERROR\0C42P01\0Mno table\0\0";

/// A message with its length.
pub(super) fn typed(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 4).expect("a length");
    [&[kind][..], &length.to_be_bytes(), content].concat()
}

pub(super) fn query(sql: &str) -> Vec<u8> {
    typed(b'Q', &[sql.as_bytes(), b"\0"].concat())
}

pub(super) fn complete(tag: &str) -> Vec<u8> {
    typed(b'C', &[tag.as_bytes(), b"\0"].concat())
}

pub(super) fn parse(name: &str, sql: &str) -> Vec<u8> {
    typed(b'P', &[name.as_bytes(), b"\0", sql.as_bytes(), b"\0\0\0"].concat())
}

pub(super) fn bind(portal: &str, name: &str) -> Vec<u8> {
    typed(b'B', &[portal.as_bytes(), b"\0", name.as_bytes(), b"\0\0\0\0\0\0\0"].concat())
}

pub(super) fn execute(portal: &str) -> Vec<u8> {
    typed(b'E', &[portal.as_bytes(), b"\0\0\0\0\0"].concat())
}

/// A connection, and what was found out of it.
pub(super) struct Session {
    pub(super) dialect: PostgreSql,
    pub(super) time: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) found: Vec<Found>,
}

/// A call that came to its end.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) asks: Box<Call>,
    pub(super) began: u64,
    pub(super) position: u64,
    pub(super) replied: Option<u64>,
    pub(super) ended: u64,
    pub(super) outcome: Outcome,
}

impl Session {
    pub(super) fn new() -> Self {
        let dialect = PostgreSql::new(Text::Redacted);
        Self { dialect, time: 0, sent: 0, received: 0, found: vec![] }
    }

    pub(super) fn feed(&mut self, of: Direction, messages: &[&[u8]]) -> &mut Self {
        let (bytes, position) = (
            messages.concat(),
            match of {
                Request => &mut self.sent,
                Response => &mut self.received,
            },
        );
        self.time += 1;
        self.found.extend(feed(&mut self.dialect, of, *position, &bytes, at(self.time)));
        *position += bytes.len() as u64;
        self
    }

    pub(super) fn send(&mut self, messages: &[&[u8]]) -> &mut Self {
        self.feed(Request, messages)
    }

    pub(super) fn answer(&mut self, messages: &[&[u8]]) -> &mut Self {
        self.feed(Response, messages)
    }

    /// The calls that have ended, in this order.
    pub(super) fn ended(&mut self) -> Vec<Ended> {
        let (mut started, mut asked, mut replied) = (vec![], vec![], vec![]);
        let mut ended = vec![];
        for found in self.found.drain(..) {
            match found {
                Found::Started { call, at, position } => started.push((call, at.time, position)),
                Found::Asked { call, asks } => asked.push((call, asks)),
                Found::Replied { call, at } => replied.push((call, at.time)),
                Found::Ended { call, at, outcome } => {
                    let begin = started.iter().find(|begin| begin.0 == call).expect("a start");
                    let (_, asks) = asked.iter().find(|asks| asks.0 == call).expect("a question");
                    let reply = replied.iter().find(|reply| reply.0 == call);
                    ended.push(Ended {
                        asks: asks.clone(),
                        began: begin.1,
                        position: begin.2,
                        replied: reply.map(|reply| reply.1),
                        ended: at.time,
                        outcome,
                    });
                }
                Found::Abandoned { .. }
                | Found::Delivered { .. }
                | Found::Malformed
                | Found::Full => {}
            }
        }
        ended
    }
}

impl Ended {
    pub(super) fn text(&self) -> &str {
        self.asks.text.text.as_deref().unwrap_or("-")
    }

    pub(super) fn summary(&self) -> &str {
        self.asks.text.summary.as_deref().unwrap_or("-")
    }

    pub(super) fn times(&self) -> (u64, Option<u64>, u64) {
        (self.began, self.replied, self.ended)
    }

    pub(super) fn code(&self) -> &str {
        self.outcome.failure.as_ref().map_or("", |failure| &failure.code)
    }
}
