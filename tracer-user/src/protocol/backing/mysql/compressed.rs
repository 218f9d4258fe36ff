//! Connections that are compressed
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression.html>): the
//! stream of packets is cut anywhere, and each piece is sent in a packet of another kind, compressed if
//! that is worth it. Only zlib is undone; of what zstd has compressed, nothing is known but its length.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::super::reader::Reader;
use super::super::{Calls, Found, Message, Split};
use super::packet::{self, Header};
use super::{MySql, middle};
use crate::connection::Chunk;
use crate::protocol::http1::Direction;

/// Bytes of a compressed packet's length, sequence number and length before it was compressed.
const HEADER: usize = 7;

/// Bytes shown of a request: its beginning is enough.
const SOME: usize = 8 * 1024;

/// Bytes shown of a response, whose end is of interest, too.
const MOST: usize = 60 * 1024;

/// Most bytes that are made of those.
const MAX_INFLATED: u64 = 512 * 1024;

/// What is within.
#[derive(Debug)]
pub(super) struct Layer {
    readers: [Reader; 2],
    next: [u64; 2],
}

/// A packet's header, how long its content was before it was compressed (0: it is not), and the content.
fn parse(bytes: &[u8]) -> Option<(Header, u32, &[u8])> {
    let (header, content) = bytes.split_first_chunk::<HEADER>()?;
    let [.., low, middle, high] = *header;
    Some((packet::header(header)?, u32::from_le_bytes([low, middle, high, 0]), content))
}

/// Where a packet ends.
pub(super) fn split(of: Direction, bytes: &[u8]) -> Split {
    let Some((header, plain, content)) = parse(bytes) else { return Split::More };
    if header.length == 0 || header.length < 2 && plain > 0 {
        return Split::Invalid;
    }
    if plain > 0 {
        match content {
            [] | [_] => return Split::More,
            [format, check, ..] if is_zlib(*format, *check) => {}
            // zstd.
            [0x28, 0xb5, ..] => {}
            _ => return Split::Invalid,
        }
    }
    let length = u64::from(header.length) + HEADER as u64;
    let most = if of == Direction::Request { SOME } else { MOST };
    Split::Message { length, want: usize::try_from(length).map_or(most, |length| length.min(most)) }
}

/// Whether such packets are likely to begin here.
pub(super) fn begins(of: Direction, bytes: &[u8]) -> bool {
    let Some((_, plain, content)) = parse(bytes) else { return false };
    matches!(split(of, bytes), Split::Message { .. }) && (plain > 0 || middle::begins(of, content))
}

/// Whether a client sends a command like this: one that was met in the middle, since otherwise the
/// handshake had told.
pub(super) fn is_met(bytes: &[u8]) -> bool {
    let Some((header, 0, content)) = parse(bytes) else { return false };
    let whole = |inner: Header| u64::from(inner.length) + packet::HEADER as u64;
    header.sequence == 0
        && packet::header(content).is_some_and(|inner| whole(inner) == u64::from(header.length))
        && middle::begins(Direction::Request, content)
}

/// Whether these are the first bytes of zlib's format (RFC 1950).
fn is_zlib(format: u8, check: u8) -> bool {
    format & 0x0f == 8 && u16::from_be_bytes([format, check]).is_multiple_of(31)
}

fn inflate(content: &[u8]) -> Vec<u8> {
    let mut inflated = vec![];
    // What could be read before an error, which is sure to come if not all was shown, is kept.
    let _ = ZlibDecoder::new(content).take(MAX_INFLATED).read_to_end(&mut inflated);
    inflated
}

impl Layer {
    pub(super) fn new() -> Self {
        let reader = |of| Reader::new(of, true);
        Self { readers: [Direction::Request, Direction::Response].map(reader), next: [0; 2] }
    }

    /// Hands on the packets within a packet, to what must not see this layer now.
    pub(super) fn message(
        &mut self,
        of: Direction,
        message: &Message<'_>,
        dialect: &mut MySql,
        calls: &mut Calls<'_>,
    ) {
        let Some((header, plain, content)) = parse(message.bytes) else { return self.lost(of) };
        let (head, len) = match plain {
            0 => (Cow::Borrowed(content), u64::from(header.length)),
            plain => (Cow::Owned(inflate(content)), u64::from(plain)),
        };
        let known = usize::try_from(len).map_or(head.len(), |len| len.min(head.len()));
        let at = if of == Direction::Request { message.first } else { message.last };
        let (index, mut found) = (index(of), vec![]);
        let (Some(reader), Some(next)) = (self.readers.get_mut(index), self.next.get_mut(index))
        else {
            return;
        };
        let head = head.get(..known).unwrap_or_default();
        let chunk = Chunk { at, position: *next, len, head, tail: &[] };
        *next = next.saturating_add(len);
        reader.operation(&chunk, dialect, &mut found);
        for mut found in found {
            if let Found::Started { position, .. } = &mut found {
                *position = message.position;
            }
            calls.tell(found);
        }
    }

    /// Some packets of a direction were not seen.
    pub(super) fn lost(&mut self, of: Direction) {
        if let Some(reader) = self.readers.get_mut(index(of)) {
            *reader = Reader::new(of, false);
        }
    }
}

fn index(of: Direction) -> usize {
    usize::from(of == Direction::Response)
}
