//! An input as a row of operations of one connection: a byte of flags, a length with as many bytes from
//! the operation's beginning, and if bit 3 is set, a number of hidden bytes and a length with as many
//! bytes from its end. Bit 0: a response. Bit 1: a gap of one byte's value before it. Bit 2: the
//! direction closes. The others are the engine's.

use tracer_user::connection::{Chunk, Moment};
use tracer_user::protocol::http1::Direction;

use crate::input::Input;

/// What is left of an input.
pub(crate) struct Operations<'a> {
    pub(crate) input: Input<'a>,
    /// Where the two directions stand: requests, responses.
    pub(crate) positions: [u64; 2],
    order: u64,
}

/// One of them.
pub(crate) struct Operation<'a> {
    pub(crate) flags: u8,
    pub(crate) direction: Direction,
    pub(crate) chunk: Chunk<'a>,
}

impl<'a> Operations<'a> {
    pub(crate) fn new(input: Input<'a>) -> Self {
        Self { input, positions: [0; 2], order: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<Operation<'a>> {
        let Self { input, positions, order } = self;
        if input.is_empty() {
            return None;
        }
        *order += 1;
        let at = Moment { time: *order, order: *order, pid: 1, tid: 1, ..Moment::default() };
        let flags = input.byte();
        let direction = if flags & 1 == 0 { Direction::Request } else { Direction::Response };
        let stands = &mut positions[usize::from(flags & 1)];
        if flags & 2 != 0 {
            *stands += u64::from(input.byte());
        }
        let head = input.bytes();
        let (hidden, tail) =
            if flags & 8 != 0 { (u64::from(input.byte()), input.bytes()) } else { (0, &[][..]) };
        let len = hidden + (head.len() + tail.len()) as u64;
        let chunk = Chunk { at, position: *stands, len, head, tail };
        *stands += len;
        Some(Operation { flags, direction, chunk })
    }
}

impl Operation<'_> {
    /// The direction closes after it.
    pub(crate) fn closes(&self) -> bool {
        self.flags & 4 != 0
    }
}
