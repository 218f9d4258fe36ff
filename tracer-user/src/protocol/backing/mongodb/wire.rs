//! Messages: <https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>, and for those that
//! are gone: <https://www.mongodb.com/docs/manual/legacy-opcodes/>.

use super::bson::{Elements, cstring, int};

pub(super) const HEADER: usize = 16;
/// `maxMessageSizeBytes`.
const MAX_MESSAGE: i32 = 48_000_000;

pub(super) const REPLY: i32 = 1;
pub(super) const UPDATE: i32 = 2001;
pub(super) const INSERT: i32 = 2002;
pub(super) const QUERY: i32 = 2004;
pub(super) const GET_MORE: i32 = 2005;
pub(super) const DELETE: i32 = 2006;
pub(super) const KILL_CURSORS: i32 = 2007;
pub(super) const COMPRESSED: i32 = 2012;
pub(super) const MSG: i32 = 2013;

/// A message's flag: others follow it without being asked for, or none is to answer it.
pub(super) const MORE_TO_COME: i32 = 2;
/// Those bits of the flags that a peer has to understand, but for `checksumPresent` and `moreToCome`.
const UNKNOWN_FLAGS: i32 = 0xfffc;
/// A reply's flag.
pub(super) const QUERY_FAILURE: i32 = 2;

/// A message's first bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) length: u64,
    pub(super) request: i32,
    pub(super) answers: i32,
    pub(super) opcode: i32,
}

impl Header {
    /// `None` if they are too few, or are none; what follows them.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (length, rest) = int(bytes)?;
        let (request, rest) = int(rest)?;
        let (answers, rest) = int(rest)?;
        let (opcode, rest) = int(rest)?;
        let smallest = if opcode == COMPRESSED { 25 } else { 20 };
        let length =
            Some(length).filter(|length| (smallest..=MAX_MESSAGE + 0x4000).contains(length))?;
        Some((Self { length: u64::try_from(length).ok()?, request, answers, opcode }, rest))
    }

    pub(super) fn is_request(self) -> bool {
        let old = matches!(self.opcode, UPDATE | INSERT | QUERY..=KILL_CURSORS);
        old || matches!(self.opcode, COMPRESSED | MSG)
    }

    pub(super) fn is_response(self) -> bool {
        matches!(self.opcode, REPLY | COMPRESSED | MSG)
    }
}

/// What a message carries.
#[derive(Debug)]
pub(super) enum Body<'a> {
    /// A command or its answer, and further documents by their names.
    Message {
        flags: i32,
        document: Elements<'a>,
        others: Vec<(&'a [u8], &'a [u8])>,
    },
    /// Of a collection; the query if it is one.
    Legacy {
        opcode: i32,
        name: &'a [u8],
        query: Elements<'a>,
    },
    Reply {
        flags: i32,
        returned: i32,
        document: Elements<'a>,
    },
    /// It cannot be read.
    Opaque,
}

impl<'a> Body<'a> {
    /// Of a message of this kind, without its header. It may be cut.
    pub(super) fn read(opcode: i32, bytes: &'a [u8]) -> Self {
        match opcode {
            MSG => Self::message(bytes),
            REPLY => Self::reply(bytes),
            COMPRESSED => Self::compressed(bytes),
            _ => Self::legacy(opcode, bytes),
        }
        .unwrap_or(Body::Opaque)
    }

    fn message(bytes: &'a [u8]) -> Option<Self> {
        let (flags, mut rest) = int(bytes).filter(|(flags, _)| flags & UNKNOWN_FLAGS == 0)?;
        let (mut document, mut others) = (None, vec![]);
        while let Some((kind, section)) = rest.split_first() {
            match kind {
                0 if document.is_none() => {
                    let (elements, behind) = Elements::of(section);
                    document = Some(elements);
                    rest = behind;
                }
                1 if others.len() < 8 => {
                    let (length, _) = int(section)?;
                    let length = usize::try_from(length).ok().filter(|length| *length > 4)?;
                    let (section, behind) =
                        section.split_at_checked(length).unwrap_or((section, &[]));
                    others.extend(section.get(4..).and_then(cstring));
                    rest = behind;
                }
                // A checksum.
                _ => break,
            }
        }
        Some(Body::Message { flags, document: document?, others })
    }

    fn reply(bytes: &'a [u8]) -> Option<Self> {
        let (flags, rest) = int(bytes)?;
        let (returned, rest) = int(rest.get(12..)?)?;
        Some(Body::Reply { flags, returned, document: Elements::of(rest).0 })
    }

    /// What was not compressed, though it might have been, can be read.
    fn compressed(bytes: &'a [u8]) -> Option<Self> {
        let (opcode, rest) = int(bytes)?;
        let (&compressor, rest) = rest.get(4..)?.split_first()?;
        (compressor == 0 && opcode != COMPRESSED).then(|| Self::read(opcode, rest))
    }

    fn legacy(opcode: i32, bytes: &'a [u8]) -> Option<Self> {
        let (name, rest) = match opcode {
            KILL_CURSORS => (&b""[..], bytes),
            _ => cstring(bytes.get(4..)?)?,
        };
        let query = if opcode == QUERY { rest.get(8..).unwrap_or_default() } else { &[] };
        Some(Body::Legacy { opcode, name, query: Elements::of(query).0 })
    }
}
