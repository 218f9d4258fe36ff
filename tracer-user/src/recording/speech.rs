//! What a connection speaks, and how its operations are masked.

use tracer_common::head::look_at;

use crate::connection::{Chunk, Info, Moment};
use crate::exchange::{Heard, Side, hear, recognise};
use crate::protocol::http1::{self, Direction, Limits};
use crate::protocol::http2::{self, Sight, sight};
use crate::protocol::redact::Pseudonym;

/// What blanked bytes become; no message begins with it.
const BLANK: u8 = b'x';

/// The bytes of an operation, masked.
pub(super) type Bytes = http2::Masked;

/// Of an operation of which nothing is shown.
pub(super) fn blank(head: usize, tail: usize) -> Bytes {
    Bytes { head: vec![BLANK; head], tail: vec![BLANK; tail], ..Bytes::default() }
}

/// What connections begin with.
pub(super) struct Fresh {
    limits: Limits,
    /// One for all, so that all tell the same ids alike.
    ids: Pseudonym,
}

impl Fresh {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, ids: Pseudonym::default() }
    }

    fn http1(&self) -> http1::Masking {
        http1::Masking::new(self.limits.clone(), &self.ids)
    }

    fn http2(&self, fresh: bool) -> http2::Masking {
        http2::Masking::new(&self.limits, &self.ids, fresh)
    }
}

/// What a connection speaks, as the exchange stage hears it.
#[derive(Clone, Debug, Default)]
pub(super) enum Speech {
    #[default]
    Unknown,
    Http1(Side, Box<http1::Masking>),
    Http2(Side, Box<http2::Masking>),
    /// A protocol of a backing service: what is asked and answered is blanked.
    Backing,
}

impl Speech {
    fn hear(info: Option<&Info>, sent: bool, chunk: &Chunk<'_>, new: &Fresh) -> Self {
        if info.is_some_and(|info| info.datagrams) {
            return Speech::Backing;
        }
        // Many bytes could be a frame.
        if sight(chunk.head) == Some(Sight::Frames) && recognise(info, sent, chunk) != 0 {
            return Speech::Backing;
        }
        match hear(sent, chunk, info.and_then(|info| info.opener)) {
            Heard::Nothing if recognise(info, sent, chunk) != 0 => Speech::Backing,
            Heard::Nothing => Speech::Unknown,
            Heard::Http1(side) => Speech::Http1(side, Box::new(new.http1())),
            Heard::Http2 { side, fresh } => Speech::Http2(side, Box::new(new.http2(fresh))),
        }
    }

    /// Masks the next operation. `early`: a response may come before its request.
    pub(super) fn operation(
        &mut self,
        info: Option<&Info>,
        sent: bool,
        chunk: &Chunk<'_>,
        new: &Fresh,
        early: bool,
    ) -> Bytes {
        let first = matches!(self, Speech::Unknown);
        if first {
            *self = Speech::hear(info, sent, chunk, new);
        }
        let (side, masking) = match self {
            Speech::Unknown | Speech::Backing => {
                return blank(chunk.head.len(), chunk.tail.len());
            }
            Speech::Http1(side, masking) => (*side, masking),
            Speech::Http2(side, masking) => {
                return masking.operation(direction(*side, sent), chunk);
            }
        };
        let direction = direction(side, sent);
        if early && direction == Direction::Response {
            masking.expect_response();
        }
        let (mut head, mut tail) = masking.operation(direction, chunk);
        if first {
            show_start(chunk.head, &mut head);
        }
        let mut withheld = 0;
        if let Some(from) = masking.upgraded() {
            let mut next = new.http2(true);
            if let Some(behind) = chunk.from(from) {
                let masked = next.operation(direction, &behind);
                head.truncate(head.len() - behind.head.len());
                head.extend(masked.head);
                tail.truncate(tail.len() - behind.tail.len());
                tail.extend(masked.tail);
                withheld = masked.withheld;
            }
            *self = Speech::Http2(side, Box::new(next));
        }
        Bytes { head, tail, before: 0, withheld }
    }

    /// How many bytes of the body (or the frame) under way in the received direction are known to come.
    pub(super) fn body_left(&self) -> u64 {
        match self {
            Speech::Unknown | Speech::Backing => 0,
            Speech::Http1(side, masking) => masking.body_left(direction(*side, false)),
            Speech::Http2(side, masking) => masking.body_left(direction(*side, false)),
        }
    }

    /// Bytes that have moved in one direction and are told later. `sent`: this side's own.
    pub(super) fn withheld(&self, sent: bool) -> usize {
        match self {
            Speech::Unknown | Speech::Http1(..) | Speech::Backing => 0,
            Speech::Http2(side, masking) => masking.withheld(direction(*side, sent)),
        }
    }

    /// What was received up to `until` was not seen; up to where it has been taken.
    pub(super) fn pass(&mut self, until: u64, at: Moment) -> Option<u64> {
        match self {
            // As the lane of such a connection does.
            Speech::Unknown | Speech::Http2(..) | Speech::Backing => None,
            Speech::Http1(side, masking) => masking.pass(direction(*side, false), until, at),
        }
    }

    /// No exchange is under way.
    pub(super) fn is_idle(&self) -> bool {
        match self {
            Speech::Unknown | Speech::Backing => true,
            Speech::Http1(_, masking) => masking.is_idle(),
            Speech::Http2(_, masking) => masking.is_idle(),
        }
    }

    /// No more bytes will come in one direction. `sent`: this side's own.
    pub(super) fn close(&mut self, sent: bool, at: Moment) {
        if let Speech::Http1(side, masking) = self {
            masking.close(direction(*side, sent), at);
        }
    }
}

fn direction(of: Side, sent: bool) -> Direction {
    if sent == (of == Side::Client) { Direction::Request } else { Direction::Response }
}

/// Puts back the first bytes that told which side this is.
fn show_start(bytes: &[u8], masked: &mut [u8]) {
    let shown = (0..=bytes.len().min(8)).find(|shown| {
        let start = bytes.iter().take(*shown).chain(masked.iter().skip(*shown)).take(8);
        look_at(&start.copied().collect::<Vec<_>>()) == look_at(bytes)
    });
    masked.iter_mut().zip(bytes).take(shown.unwrap_or(0)).for_each(|(to, from)| *to = *from);
}
