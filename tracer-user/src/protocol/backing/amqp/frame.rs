//! Frames: section 2.3.5 of <https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>. A type, a channel
//! and the payload's size, the payload, and an octet that ends it.

use super::method;
use super::{Direction, Split};

/// What a client begins a connection with.
pub(super) const PREFACE: &[u8; 8] = b"AMQP\0\0\x09\x01";
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
const END: u8 = 0xce;
/// Bytes before the payload.
pub(super) const BEFORE: usize = 7;
/// Bytes of a frame beside its payload.
const AROUND: u64 = 8;

/// Largest payloads that are believed, bytes. RabbitMQ's frames are 128 KiB at most unless it is told
/// otherwise; arguments are small, but for tables and what a client logs in with.
const MAX_METHOD: u32 = 1 << 16;
const MAX_HEADER: u32 = 1 << 20;
const MAX_BODY: u32 = 1 << 24;
/// Smallest payload of a content header: class, weight, size, flags.
const MIN_HEADER: u32 = 14;
/// Largest body that is passed over as one, bytes; RabbitMQ takes 512 MiB.
const MAX_CONTENT: u64 = 1 << 30;
/// Smallest payload of a full frame: the least that may be agreed on is 4096 bytes a frame.
const MIN_FULL: u32 = 4096 - AROUND as u32;

/// So much of a method's and of a content header's frame is looked at, bytes. All arguments of those that
/// are told take less.
const SHOWN_METHOD: u64 = 1024;
const SHOWN_HEADER: u64 = 4096;

/// The class whose methods carry content.
pub(super) const BASIC: u16 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Method,
    Header,
    Body,
    Heartbeat,
}

/// A frame, as far as it is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    pub(super) channel: u16,
    /// Of the payload.
    pub(super) size: u32,
    /// Its first bytes.
    pub(super) payload: &'a [u8],
    /// Where its last octet is there, it ends as it must.
    ends: bool,
}

impl<'a> Frame<'a> {
    /// Of these bytes, which are more than its header; `None` if it is none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&[kind, channel @ .., a, b, c, d], rest) = bytes.split_first_chunk::<BEFORE>()?;
        let kind = match kind {
            METHOD => Kind::Method,
            HEADER => Kind::Header,
            BODY => Kind::Body,
            HEARTBEAT => Kind::Heartbeat,
            _ => return None,
        };
        let size = u32::from_be_bytes([a, b, c, d]);
        let end = usize::try_from(size).ok()?;
        Some(Self {
            kind,
            channel: u16::from_be_bytes(channel),
            size,
            payload: rest.get(..end).unwrap_or(rest),
            ends: rest.get(end).is_none_or(|last| *last == END),
        })
    }

    /// All of its payload is there.
    pub(super) fn is_whole(&self) -> bool {
        self.payload.len() as u64 == u64::from(self.size)
    }

    pub(super) fn length(&self) -> u64 {
        u64::from(self.size) + AROUND
    }

    /// It ends as frames do, its size is one of its kind, and it is of a channel of such ones.
    pub(super) fn is_sound(&self) -> bool {
        let sizes = match self.kind {
            Kind::Method => 4..=MAX_METHOD,
            Kind::Header => MIN_HEADER..=MAX_HEADER,
            Kind::Body => 0..=MAX_BODY,
            Kind::Heartbeat => 0..=0,
        };
        let channel = match self.kind {
            Kind::Method => true,
            Kind::Header | Kind::Body => self.channel != 0,
            Kind::Heartbeat => self.channel == 0,
        };
        self.ends && channel && sizes.contains(&self.size)
    }

    /// How long all frames of a body of which `left` bytes are to come are, this being the first of
    /// them; `None` if it is the last one. All but that one are full.
    pub(super) fn all(&self, left: u64) -> Option<u64> {
        let size = u64::from(self.size);
        if self.kind != Kind::Body || self.size < MIN_FULL || left <= size || left > MAX_CONTENT {
            return None;
        }
        Some(left + left.div_ceil(size) * AROUND)
    }
}

/// Where the frame, or the client's first words, ends.
pub(super) fn split(of: Direction, bytes: &[u8]) -> Split {
    if bytes.first() == PREFACE.first() {
        return preface(bytes);
    }
    let known =
        bytes.first().is_some_and(|kind| matches!(*kind, METHOD | HEADER | BODY | HEARTBEAT));
    if !known {
        return Split::Invalid;
    }
    let Some(frame) = Frame::read(bytes) else { return Split::More };
    if !frame.is_sound() {
        return Split::Invalid;
    }
    let length = frame.length();
    let (begins, shown) = match frame.kind {
        Kind::Method => (method::begins(of, &frame), SHOWN_METHOD),
        Kind::Header => {
            (frame.payload.get(..2).map(|class| class == BASIC.to_be_bytes()), SHOWN_HEADER)
        }
        Kind::Body => (Some(true), BEFORE as u64),
        Kind::Heartbeat => (Some(true), AROUND),
    };
    match begins {
        None => Split::More,
        Some(false) => Split::Invalid,
        Some(true) => Split::Message { length, want: length.min(shown) as usize },
    }
}

fn preface(bytes: &[u8]) -> Split {
    let length = PREFACE.len();
    match bytes.get(..length) {
        Some(begins) if begins == PREFACE => Split::Message { length: length as u64, want: length },
        None if PREFACE.starts_with(bytes) => Split::More,
        _ => Split::Invalid,
    }
}
