//! Packets in bytes
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>).

use super::super::Failure;

/// Bytes of a packet's length and sequence number.
pub(super) const HEADER: usize = 4;

/// The longest packet; it says that another one continues it.
pub(super) const MAX_LENGTH: u32 = 0xff_ffff;

/// `SERVER_MORE_RESULTS_EXISTS`.
const MORE_RESULTS: u16 = 0x0008;

/// `SERVER_STATUS_CURSOR_EXISTS`.
const CURSOR: u16 = 0x0040;

/// `SERVER_STATUS_NO_BACKSLASH_ESCAPES`.
const UNESCAPED: u16 = 0x0200;

/// A packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Of what follows the header.
    pub(super) length: u32,
    pub(super) sequence: u8,
}

/// The header that these bytes begin with.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let [low, middle, high, sequence] = *bytes.first_chunk::<HEADER>()?;
    Some(Header { length: u32::from_le_bytes([low, middle, high, 0]), sequence })
}

/// How an answer, or a part of it, came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// Nothing follows but, if `more`, another result, and, if `cursor`, the rows when they are asked for.
    /// `unescaped`: a backslash does not escape in the session's statements.
    Done {
        more: bool,
        cursor: bool,
        unescaped: bool,
    },
    Failed(Failure),
}

/// `OK`, `EOF` (also the `OK` that replaces it) or `ERR`, by its content, of which `length` bytes there
/// are; `None` if it is neither.
pub(super) fn close(content: &[u8], length: u32) -> Option<Close> {
    let (first, rest) = content.split_first()?;
    let status = match first {
        0x00 if length >= 7 => lenenc(rest).and_then(|(_, rest)| lenenc(rest))?.1,
        0xfe if length == 5 => rest.get(2..)?,
        0xfe if (7..MAX_LENGTH).contains(&length) => {
            lenenc(rest).and_then(|(_, rest)| lenenc(rest))?.1
        }
        0xff => {
            let code = u16::from_le_bytes(*rest.first_chunk()?);
            return Some(Close::Failed(Failure { code: code.to_string() }));
        }
        _ => return None,
    };
    let status = u16::from_le_bytes(*status.first_chunk()?);
    let has = |flag| status & flag != 0;
    Some(Close::Done { more: has(MORE_RESULTS), cursor: has(CURSOR), unescaped: has(UNESCAPED) })
}

/// A length-encoded number, and what follows; 0xfb, where a row has `NULL`, and 0xff are none.
pub(super) fn lenenc(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let size = match first {
        ..=0xfa => return Some((u64::from(*first), rest)),
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xfb | 0xff => return None,
    };
    let (number, rest) = rest.split_at_checked(size)?;
    let mut all = [0; 8];
    all.iter_mut().zip(number).for_each(|(to, from)| *to = *from);
    Some((u64::from_le_bytes(all), rest))
}

/// What follows a length-encoded string.
pub(super) fn behind_string(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = lenenc(bytes)?;
    rest.get(usize::try_from(length).ok()?..)
}

/// A string up to its zero, or to the end, and what follows.
pub(super) fn string(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (string, rest) = bytes.split_at(end);
    (string, rest.get(1..).unwrap_or_default())
}

/// Whether a server greets with this: protocol 10 or 9, and its version.
pub(super) fn is_greeting(header: Header, content: &[u8]) -> bool {
    header.sequence == 0
        && (20..512).contains(&header.length)
        && matches!(content, [9 | 10, version, ..] if version.is_ascii_digit())
}
