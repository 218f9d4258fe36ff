//! Methods: <https://www.rabbitmq.com/amqp-0-9-1-reference.html>.

use super::Direction;
use super::field::Fields;
use super::frame::{BASIC, Frame};

const CONNECTION: u16 = 10;
const CHANNEL: u16 = 20;
const CONFIRM: u16 = 85;

/// Where a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Destination<'a> {
    /// Empty: the default one, whose routing keys are queues' names.
    pub(super) exchange: &'a [u8],
    pub(super) key: &'a [u8],
}

/// What a peer asks for or answers, as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method<'a> {
    /// `returns`: the client wants it back if nobody takes it.
    Publish {
        to: Destination<'a>,
        returns: bool,
    },
    Return {
        code: u16,
        to: Destination<'a>,
    },
    Deliver {
        tag: u64,
        from: Destination<'a>,
    },
    Get {
        queue: &'a [u8],
    },
    GetOk {
        tag: u64,
        from: Destination<'a>,
    },
    GetEmpty,
    Ack {
        tag: u64,
        multiple: bool,
    },
    Nack {
        tag: u64,
        multiple: bool,
    },
    /// From here on the channel's messages are confirmed.
    ConfirmSelect,
    ChannelOpen,
    ChannelClose {
        code: u16,
    },
    ChannelCloseOk,
    ConnectionClose {
        code: u16,
    },
    ConnectionCloseOk,
    Other,
}

/// Whether this side sends such a method; no other is known.
#[rustfmt::skip]
fn sends(of: Direction, class: u16, method: u16) -> bool {
    match (class, method) {
        (CONNECTION, 50 | 51) | (CHANNEL, 20 | 21 | 40 | 41) | (BASIC, 30 | 31 | 80 | 120) => true,
        (CONNECTION, 11 | 21 | 31 | 40 | 70) | (CHANNEL | 30 | CONFIRM, 10) | (40, 10 | 20 | 30 | 40)
        | (50, 10 | 20 | 30 | 40 | 50) | (BASIC, 10 | 20 | 40 | 70 | 90 | 100 | 110)
        | (90, 10 | 20 | 30) => of == Direction::Request,
        (CONNECTION, 10 | 20 | 30 | 41 | 60 | 61 | 71) | (CHANNEL | 30 | CONFIRM, 11)
        | (40, 11 | 21 | 31 | 51) | (50, 11 | 21 | 31 | 41 | 51)
        | (BASIC, 11 | 21 | 50 | 60 | 71 | 72 | 111) | (90, 11 | 21 | 31) => of == Direction::Response,
        _ => false,
    }
}

/// Whether a method's frame begins as one that this side sends; `None` if more bytes are needed to tell.
/// Channel 0 is the connection's own.
pub(super) fn begins(of: Direction, frame: &Frame<'_>) -> Option<bool> {
    let mut fields = Fields::new(frame.payload);
    let (class, method) = (fields.short()?, fields.short()?);
    Some(sends(of, class, method) && (class == CONNECTION) == (frame.channel == 0))
}

impl<'a> Method<'a> {
    /// Of a method's frame; `None` if its arguments are not such ones, or are not all there.
    pub(super) fn read(frame: &Frame<'a>) -> Option<Self> {
        let mut fields = Fields::new(frame.payload);
        let (class, method) = (fields.short()?, fields.short()?);
        let read = match class {
            BASIC => Self::basic(method, &mut fields)?,
            CONNECTION | CHANNEL => Self::closing(class, method, &mut fields)?,
            CONFIRM if method == 10 => {
                fields.octet()?;
                Self::ConfirmSelect
            }
            _ => Self::Other,
        };
        (read == Self::Other || fields.is_empty() && frame.is_whole()).then_some(read)
    }

    fn basic(method: u16, fields: &mut Fields<'a>) -> Option<Self> {
        Some(match method {
            40 => {
                fields.short()?;
                let to = Destination::read(fields)?;
                Self::Publish { to, returns: fields.octet()? & 3 != 0 }
            }
            50 => {
                let code = fields.short()?;
                fields.short_string()?;
                Self::Return { code, to: Destination::read(fields)? }
            }
            60 => {
                fields.short_string()?;
                let (tag, _) = (fields.long_long()?, fields.octet()?);
                Self::Deliver { tag, from: Destination::read(fields)? }
            }
            70 => {
                fields.short()?;
                let (queue, _) = (fields.short_string()?, fields.octet()?);
                Self::Get { queue }
            }
            71 => {
                let (tag, _) = (fields.long_long()?, fields.octet()?);
                let (from, _) = (Destination::read(fields)?, fields.long()?);
                Self::GetOk { tag, from }
            }
            72 => fields.short_string().map(|_| Self::GetEmpty)?,
            80 => Self::Ack { tag: fields.long_long()?, multiple: fields.octet()? & 1 != 0 },
            120 => Self::Nack { tag: fields.long_long()?, multiple: fields.octet()? & 1 != 0 },
            _ => Self::Other,
        })
    }

    fn closing(class: u16, method: u16, fields: &mut Fields<'a>) -> Option<Self> {
        Some(match (class, method) {
            (CHANNEL, 10) => fields.short_string().map(|_| Self::ChannelOpen)?,
            (CHANNEL, 40) => Self::ChannelClose { code: code(fields)? },
            (CHANNEL, 41) => Self::ChannelCloseOk,
            (CONNECTION, 50) => Self::ConnectionClose { code: code(fields)? },
            (CONNECTION, 51) => Self::ConnectionCloseOk,
            _ => Self::Other,
        })
    }
}

/// Why something is closed, before the text and the method that led to it.
fn code(fields: &mut Fields<'_>) -> Option<u16> {
    let code = fields.short()?;
    fields.short_string()?;
    fields.long()?;
    Some(code)
}

impl<'a> Destination<'a> {
    fn read(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self { exchange: fields.short_string()?, key: fields.short_string()? })
    }

    /// By which it is known again.
    pub(super) fn bytes(&self) -> Box<[u8]> {
        [self.exchange, b"\0", self.key].concat().into()
    }
}
