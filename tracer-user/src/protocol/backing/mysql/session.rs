//! A connection for the tests.

use super::MySql;
use crate::protocol::backing::testing::{at, feed};
use crate::protocol::backing::{Found, Text};
use crate::protocol::http1::Direction::{self, Request, Response};

pub(super) const OK: &[u8] = b"\x00\x00\x00\x02\x00\x00\x00";
pub(super) const OK_MORE: &[u8] = b"\x00\x05\x00\x0a\x00\x00\x00";
pub(super) const EOF: &[u8] = b"\xfe\x00\x00\x02\x00";
pub(super) const EOF_MORE: &[u8] = b"\xfe\x00\x00\x0a\x00";
pub(super) const EOF_CURSOR: &[u8] = b"\xfe\x00\x00\x42\x00";
/// What replaces `EOF`.
pub(super) const LAST: &[u8] = b"\xfe\x00\x00\x02\x00\x00\x00";
pub(super) const ERR: &[u8] = b"\xff\x7a\x04#42S02Table 'a.t' doesn't exist";
pub(super) const COLUMN: &[u8] =
    b"\x03def\x00\x00\x00\x01x\x00\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0";
pub(super) const ROW: &[u8] = b"\x03abc";

/// Packets whose numbers begin with this.
pub(super) fn packets(mut sequence: u8, contents: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![];
    for content in contents {
        let [low, middle, high, _] = u32::try_from(content.len()).expect("short").to_le_bytes();
        bytes.extend([low, middle, high, sequence]);
        bytes.extend_from_slice(content);
        sequence = sequence.wrapping_add(1);
    }
    bytes
}

/// A connection, and what was found out of it.
pub(super) struct Session {
    pub(super) dialect: MySql,
    pub(super) time: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) found: Vec<Found>,
}

impl Session {
    pub(super) fn new() -> Self {
        let dialect = MySql::new(Text::Redacted);
        Self { dialect, time: 0, sent: 0, received: 0, found: vec![] }
    }

    pub(super) fn feed(&mut self, of: Direction, bytes: &[u8]) -> &mut Self {
        let position = match of {
            Request => &mut self.sent,
            Response => &mut self.received,
        };
        self.time += 1;
        self.found.extend(feed(&mut self.dialect, of, *position, bytes, at(self.time)));
        *position += bytes.len() as u64;
        self
    }

    /// A command.
    pub(super) fn send(&mut self, command: u8, content: &[u8]) -> &mut Self {
        self.feed(Request, &packets(0, &[&[&[command], content].concat()]))
    }

    /// An answer to one.
    pub(super) fn answer(&mut self, contents: &[&[u8]]) -> &mut Self {
        self.feed(Response, &packets(1, contents))
    }

    /// What was found out since it was last asked for, a line each.
    pub(super) fn told(&mut self) -> Vec<String> {
        let tell = |found| match found {
            Found::Started { call, at, .. } => format!("{call} begins at {}", at.time),
            Found::Asked { call, asks } => {
                let word = |word: Option<String>| word.unwrap_or_else(|| "-".to_owned());
                let operation = word(asks.operation.map(Into::into));
                let (text, summary) = (word(asks.text.text), word(asks.text.summary));
                format!("{call} {operation}|{summary}|{text}|{}", word(asks.namespace))
            }
            Found::Replied { call, at } => format!("{call} replied at {}", at.time),
            Found::Ended { call, at, outcome } => {
                let code = outcome.failure.map(|failure| failure.code).unwrap_or_default();
                format!("{call} ends at {} {:?} {code}", at.time, outcome.rows)
            }
            Found::Abandoned { call, .. } => format!("{call} abandoned"),
            Found::Malformed => "malformed".to_owned(),
            Found::Delivered { .. } => "delivered".to_owned(),
            Found::Full => "full".to_owned(),
        };
        self.found.drain(..).map(tell).collect()
    }

    /// Only how calls came out.
    pub(super) fn ends(&mut self) -> Vec<String> {
        let mut told = self.told();
        told.retain(|told| told.contains("ends") || told.contains("abandoned"));
        told
    }

    /// Only what was asked for.
    pub(super) fn asks(&mut self) -> Vec<String> {
        let mut told = self.told();
        told.retain(|told| told.contains('|'));
        told
    }
}

pub(super) fn greeting() -> Vec<u8> {
    let fixed = b"\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15";
    [&fixed[..], &[0; 10], b"ijklmnopqrst\0caching_sha2_password\0"].concat()
}

/// A handshake's response with these more capabilities than 4.1, authentication and a database.
pub(super) fn handshake(more: u32) -> Vec<u8> {
    let capabilities: u32 = 1 << 9 | 1 << 15 | 1 << 3 | more;
    let fixed = [&capabilities.to_le_bytes()[..], b"\0\0\0\x01\xff", &[0; 23]].concat();
    [&fixed[..], b"bob\0\x06secretshop\0mysql_native_password\0"].concat()
}
