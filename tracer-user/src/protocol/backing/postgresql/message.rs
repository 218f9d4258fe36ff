//! Messages in bytes (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).

use super::super::call::MAX_TEXT;
use super::super::{Failure, Split};
use crate::protocol::http1::Direction;

/// Bytes of a message's type and length.
pub(super) const HEADER: usize = 5;

/// The longest message that a server takes or sends: what fits into one of its buffers.
const MAX_LENGTH: u32 = 0x3fff_ffff;

/// The longest one before it is known who the client is.
const MAX_STARTUP: u32 = 10_000;

/// Most bytes of a statement's or portal's name that count.
const MAX_NAME: usize = 128;

/// Bytes shown of messages with names or codes in them.
const SOME: usize = HEADER + 2 * MAX_NAME;

/// Protocols 3.0 and later ones, as a `StartupMessage` has them.
const VERSION_3: u32 = 3 << 16;
const LAST_VERSION: u32 = VERSION_3 + 0xffff;

/// What the first message of a connection asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Startup {
    Session,
    /// TLS or GSSAPI, which is answered by a single byte.
    Encryption,
    /// That another connection's query is given up; there is no answer.
    Cancel,
}

/// What an untyped message, the only kind that begins with a zero, asks for.
pub(super) fn startup(bytes: &[u8]) -> Option<Startup> {
    match be_u32(bytes.get(4..)?)? {
        VERSION_3..=LAST_VERSION => Some(Startup::Session),
        80_877_103 | 80_877_104 => Some(Startup::Encryption),
        80_877_102 => Some(Startup::Cancel),
        _ => None,
    }
}

/// Where a message ends, that begins with these bytes. `answered`: the next byte answers a request for
/// encryption.
pub(super) fn split(of: Direction, bytes: &[u8], answered: bool) -> Split {
    let Some(&kind) = bytes.first() else { return Split::More };
    match of {
        Direction::Request if kind == 0 => return split_startup(bytes),
        Direction::Response if answered && matches!(kind, b'N' | b'S' | b'G') => {
            return Split::Message { length: 1, want: 1 };
        }
        _ => {}
    }
    let Some(shape) = shape(of, kind) else { return Split::Invalid };
    let Some(length) = bytes.get(1..).and_then(be_u32) else { return Split::More };
    if length < shape.min || length > shape.max {
        return Split::Invalid;
    }
    let length = u64::from(length) + 1;
    let want = usize::try_from(length).map_or(shape.want, |length| length.min(shape.want));
    Split::Message { length, want }
}

fn split_startup(bytes: &[u8]) -> Split {
    let Some(length) = be_u32(bytes) else { return Split::More };
    if !(8..=MAX_STARTUP).contains(&length) {
        return Split::Invalid;
    }
    match startup(bytes) {
        None if bytes.len() < 8 => Split::More,
        None => Split::Invalid,
        Some(_) => {
            Split::Message { length: u64::from(length), want: MAX_TEXT.min(length as usize) }
        }
    }
}

/// How long a message may be, by its own length, which counts neither its type; and what of it is shown.
struct Shape {
    min: u32,
    max: u32,
    want: usize,
}

fn shape(of: Direction, kind: u8) -> Option<Shape> {
    let any = |min, want| Some(Shape { min, max: MAX_LENGTH, want });
    let exactly = |length, want| Some(Shape { min: length, max: length, want });
    match (of, kind) {
        (Direction::Request, b'Q') => any(5, MAX_TEXT + SOME),
        (Direction::Request, b'P') => any(8, MAX_TEXT + SOME),
        (Direction::Request, b'B') => any(12, SOME),
        (Direction::Request, b'E') => any(9, SOME),
        (Direction::Request, b'D' | b'C') => any(6, SOME),
        (Direction::Request, b'F') => any(14, HEADER),
        (Direction::Request, b'S' | b'H' | b'X') => exactly(4, HEADER),
        (Direction::Request, b'p' | b'f') => any(5, HEADER),
        (_, b'c') => exactly(4, HEADER),
        (_, b'd') => any(4, HEADER),
        (Direction::Response, b'Z') => exactly(5, HEADER + 1),
        (Direction::Response, b'1' | b'2' | b'3' | b'n' | b'I' | b's') => exactly(4, HEADER),
        (Direction::Response, b'C') => any(5, SOME),
        (Direction::Response, b'E' | b'N') => any(5, SOME),
        (Direction::Response, b'D' | b'T' | b't') => any(6, HEADER),
        (Direction::Response, b'G' | b'H' | b'W') => any(7, HEADER),
        (Direction::Response, b'S') => any(6, SOME),
        (Direction::Response, b'V') => any(6, HEADER),
        (Direction::Response, b'A') => any(10, HEADER),
        (Direction::Response, b'R' | b'K' | b'v') => any(8, HEADER),
        _ => None,
    }
}

/// Big-endian number that these bytes begin with.
pub(super) fn be_u32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// A string up to its zero, or to the end of what is known; what follows; and whether it is whole.
pub(super) fn string(bytes: &[u8]) -> (&[u8], &[u8], bool) {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => {
            let (string, rest) = bytes.split_at(end);
            (string, rest.get(1..).unwrap_or_default(), true)
        }
        None => (bytes, &[], false),
    }
}

/// A statement's or portal's name, and what follows.
pub(super) fn name(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (name, rest, _) = string(bytes);
    (name.get(..MAX_NAME).unwrap_or(name), rest)
}

/// The database of a `StartupMessage`: by default it is called as the user is.
pub(super) fn database(bytes: &[u8]) -> Option<String> {
    let (mut rest, mut user) = (bytes.get(8..)?, None);
    loop {
        let (name, behind, whole) = string(rest);
        let (value, behind, whole_value) = string(behind);
        let value = || Some(String::from_utf8_lossy(value).into_owned());
        match name {
            _ if !whole || !whole_value || name.is_empty() => return user,
            b"database" => return value(),
            b"user" => user = value(),
            _ => {}
        }
        rest = behind;
    }
}

/// The rows that were returned, by a `CommandComplete`.
pub(super) fn rows(message: &[u8]) -> Option<u64> {
    let (tag, _, whole) = string(message.get(HEADER..)?);
    let mut words = std::str::from_utf8(tag).ok()?.split(' ');
    let returns = matches!(words.next()?, "SELECT" | "FETCH");
    words.next().filter(|_| whole && returns)?.parse().ok()
}

/// Whether a backslash escapes in statements, if a `ParameterStatus` tells of that.
pub(super) fn escapes(message: &[u8]) -> Option<bool> {
    let (name, rest, _) = string(message.get(HEADER..)?);
    let (value, ..) = string(rest);
    (name == b"standard_conforming_strings").then_some(value == b"off")
}

/// What an `ErrorResponse` says.
pub(super) fn failure(message: &[u8]) -> Failure {
    let code = field(message, b'C').filter(|code| code.len() == 5 && code.is_ascii());
    let code = code.map(|code| String::from_utf8_lossy(code).into_owned());
    Failure { code: code.unwrap_or_else(|| "unknown".to_owned()) }
}

/// Whether the server closes the connection behind this `ErrorResponse`.
pub(super) fn is_fatal(message: &[u8]) -> bool {
    let severity = field(message, b'V').or_else(|| field(message, b'S'));
    matches!(severity, Some(b"FATAL" | b"PANIC"))
}

/// A field of an error
/// (<https://www.postgresql.org/docs/current/protocol-error-fields.html>).
fn field(message: &[u8], name: u8) -> Option<&[u8]> {
    let mut rest = message.get(HEADER..)?;
    while let Some((&field, value)) = rest.split_first() {
        let (value, behind, whole) = string(value);
        if field == name {
            return whole.then_some(value);
        }
        rest = behind;
    }
    None
}
