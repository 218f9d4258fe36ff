//! The binary protocol: <https://github.com/memcached/memcached/wiki/BinaryProtocolRevamped>.

use super::{Answer, Direction, Failure, Reply, Request, Split, bounded};

/// First byte of a request, and of a response.
pub(super) const REQUEST: u8 = 0x80;
pub(super) const RESPONSE: u8 = 0x81;

const HEADER: usize = 24;
/// Longest key.
const MAX_KEY: u16 = 250;
const STAT: u8 = 0x10;

/// What can be told of a header.
#[derive(Clone, Copy, Debug)]
struct Header {
    opcode: u8,
    key: u16,
    extras: u8,
    /// In a response.
    status: u16,
    body: u32,
    opaque: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let &[_, opcode, k0, k1, extras, _, s0, s1, b0, b1, b2, b3, o0, o1, o2, o3, ..] = header;
        Some(Self {
            opcode,
            key: u16::from_be_bytes([k0, k1]),
            extras,
            status: u16::from_be_bytes([s0, s1]),
            body: u32::from_be_bytes([b0, b1, b2, b3]),
            opaque: u32::from_be_bytes([o0, o1, o2, o3]),
        })
    }

    /// Bytes without the value.
    fn before_value(self) -> usize {
        HEADER + usize::from(self.extras) + usize::from(self.key)
    }

    fn token(self) -> Option<u64> {
        Some(u64::from(self.opaque) << 8 | u64::from(self.opcode))
    }

    fn is_plausible(self) -> bool {
        let before = u32::from(self.extras) + u32::from(self.key);
        self.key <= MAX_KEY
            && self.extras <= 32
            && before <= self.body
            && name(self.opcode).is_some()
    }
}

/// A command by its opcode, and how it is answered.
fn name(opcode: u8) -> Option<(&'static str, Answer)> {
    Some(match opcode {
        0x00 | 0x0c => ("get", Answer::One),
        0x09 | 0x0d => ("get", Answer::Perhaps),
        0x01 => ("set", Answer::One),
        0x11 => ("set", Answer::Perhaps),
        0x02 => ("add", Answer::One),
        0x12 => ("add", Answer::Perhaps),
        0x03 => ("replace", Answer::One),
        0x13 => ("replace", Answer::Perhaps),
        0x04 => ("delete", Answer::One),
        0x14 => ("delete", Answer::Perhaps),
        0x05 => ("incr", Answer::One),
        0x15 => ("incr", Answer::Perhaps),
        0x06 => ("decr", Answer::One),
        0x16 => ("decr", Answer::Perhaps),
        0x07 => ("quit", Answer::One),
        0x17 => ("quit", Answer::None),
        0x08 => ("flush_all", Answer::One),
        0x18 => ("flush_all", Answer::Perhaps),
        0x0a => ("noop", Answer::One),
        0x0b => ("version", Answer::One),
        0x0e => ("append", Answer::One),
        0x19 => ("append", Answer::Perhaps),
        0x0f => ("prepend", Answer::One),
        0x1a => ("prepend", Answer::Perhaps),
        STAT => ("stats", Answer::Many),
        0x1b => ("verbosity", Answer::One),
        0x1c => ("touch", Answer::One),
        0x1d | 0x23 => ("gat", Answer::One),
        0x1e | 0x24 => ("gat", Answer::Perhaps),
        0x20 => ("sasl_list_mechs", Answer::One),
        0x21 => ("sasl_auth", Answer::One),
        0x22 => ("sasl_step", Answer::One),
        _ => return None,
    })
}

pub(super) fn split(of: Direction, bytes: &[u8]) -> Split {
    let first = if of == Direction::Request { REQUEST } else { RESPONSE };
    if bytes.first() != Some(&first) || bytes.get(1).is_some_and(|opcode| name(*opcode).is_none()) {
        return Split::Invalid;
    }
    match Header::read(bytes) {
        None => Split::More,
        Some(header) if header.is_plausible() => {
            let length = HEADER as u64 + u64::from(header.body);
            Split::Message { length, want: header.before_value() }
        }
        Some(_) => Split::Invalid,
    }
}

/// The type of data is always 0.
pub(super) fn begins(of: Direction, bytes: &[u8]) -> bool {
    bytes.get(5) == Some(&0) && matches!(split(of, bytes), Split::Message { .. })
}

/// A command.
pub(super) fn request(bytes: &[u8]) -> Option<Request> {
    let header = Header::read(bytes)?;
    let (operation, answer) = name(header.opcode)?;
    let key = bytes.get(HEADER + usize::from(header.extras)..header.before_value());
    let mut words = vec![operation.as_bytes()];
    // Of an authentication, it is the mechanism.
    words.extend(key.filter(|key| !key.is_empty()));
    if header.body as usize + HEADER > header.before_value() {
        words.push(b"?");
    }
    let text = Some(bounded(&words.join(&b' ')));
    Some(Request { operation, text, answer, token: header.token() })
}

/// An answer, or a part of one.
pub(super) fn reply(bytes: &[u8]) -> Option<Reply> {
    let header = Header::read(bytes)?;
    let more = header.opcode == STAT && header.status == 0 && header.key > 0;
    // No such key, it exists, not stored, or authentication goes on: those are answers like others.
    let fails = !matches!(header.status, 0 | 1 | 2 | 5 | 0x21);
    let failure = fails.then(|| Failure { code: header.status.to_string() });
    let quiet = name(header.opcode).is_some_and(|(_, answer)| answer == Answer::Perhaps);
    Some(Reply { token: header.token(), more, bars: true, quiet, failure })
}
