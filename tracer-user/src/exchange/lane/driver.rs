//! What the protocols' engines have in common, as a lane drives them.

use crate::connection::{Chunk, Moment};
use crate::exchange::Side;
use crate::protocol::http1::{self, Direction};
use crate::protocol::http2;

/// Follows one connection; see [`http1::Engine`].
pub(super) trait Engine {
    /// What it finds out.
    type Event;

    fn operation(&mut self, of: Direction, chunk: &Chunk<'_>, sink: &mut dyn FnMut(Self::Event));

    fn close(&mut self, of: Direction, at: Moment, sink: &mut dyn FnMut(Self::Event));

    fn body_left(&self, of: Direction) -> u64;
}

macro_rules! engine {
    ($protocol:ident) => {
        impl Engine for $protocol::Engine {
            type Event = $protocol::Event;

            fn operation(
                &mut self,
                of: Direction,
                chunk: &Chunk<'_>,
                sink: &mut dyn FnMut(Self::Event),
            ) {
                match of {
                    Direction::Request => self.request(chunk, sink),
                    Direction::Response => self.response(chunk, sink),
                }
            }

            fn close(&mut self, of: Direction, at: Moment, sink: &mut dyn FnMut(Self::Event)) {
                $protocol::Engine::close(self, of, at, sink);
            }

            fn body_left(&self, of: Direction) -> u64 {
                $protocol::Engine::body_left(self, of)
            }
        }
    };
}

engine!(http1);
engine!(http2);

/// An engine, and what it has found out that the lane has not heard.
#[derive(Debug)]
pub(super) struct Driver<E: Engine> {
    pub(super) side: Side,
    pub(super) engine: E,
    pub(super) events: Vec<E::Event>,
}

impl<E: Engine> Driver<E> {
    pub(super) fn new(side: Side, engine: E) -> Self {
        Self { side, engine, events: vec![] }
    }

    /// An operation has moved bytes. `sent`: this side's own.
    pub(super) fn operation(&mut self, sent: bool, chunk: &Chunk<'_>) {
        let Self { side, engine, events } = self;
        engine.operation(direction(*side, sent), chunk, &mut |event| events.push(event));
    }

    /// No more bytes will come in one direction. `sent`: this side's own.
    pub(super) fn close(&mut self, sent: bool, at: Moment) {
        let Self { side, engine, events } = self;
        engine.close(direction(*side, sent), at, &mut |event| events.push(event));
    }

    /// How many bytes of the body (or the frame) under way are known to come to this side.
    pub(super) fn body_left(&self) -> u64 {
        self.engine.body_left(direction(self.side, false))
    }
}

impl Driver<http1::Engine> {
    /// Bytes that this side has received have moved unseen; up to where that has been taken.
    pub(super) fn pass(&mut self, until: u64, at: Moment) -> Option<u64> {
        let Self { side, engine, events } = self;
        engine.pass(direction(*side, false), until, at, &mut |event| events.push(event))
    }
}

/// In which direction a side sends or receives.
pub(super) fn direction(side: Side, sent: bool) -> Direction {
    if sent == (side == Side::Client) { Direction::Request } else { Direction::Response }
}
