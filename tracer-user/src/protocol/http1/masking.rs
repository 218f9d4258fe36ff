//! Operations without what is private: secrets in heads are masked, the contents of bodies and
//! whatever is not HTTP are blanked, each at the same length and so that an [`Engine`] finds the
//! same in what is left.

use super::engine::{Engine, Limits};
use super::event::{Direction, Event};
use super::mask::Mask;
use crate::connection::{Chunk, Moment};
use crate::protocol::redact::Pseudonym;

/// Follows one connection as an [`Engine`] does, operation by operation, and masks each.
#[derive(Clone, Debug)]
pub struct Masking {
    engine: Engine,
    requests: Mask,
    responses: Mask,
    /// Requests that have begun and whose responses have not ended.
    open: usize,
}

impl Masking {
    /// For a new connection, or one that is met in the middle. `ids`: how ids are told.
    #[must_use]
    pub fn new(limits: Limits, ids: &Pseudonym) -> Self {
        let mut engine = Engine::new(limits);
        engine.note();
        let [requests, responses] = [ids, ids].map(|ids| Mask::new(ids.clone()));
        Self { engine, requests, responses, open: 0 }
    }

    /// Takes an operation of which `head` and `tail` are known, as [`Engine::request`] and
    /// [`Engine::response`] do. Returns both masked.
    pub fn operation(&mut self, direction: Direction, chunk: &Chunk<'_>) -> (Vec<u8>, Vec<u8>) {
        let sink = &mut |event| count(&mut self.open, &event);
        let mask = match direction {
            Direction::Request => {
                self.engine.request(chunk, sink);
                &mut self.requests
            }
            Direction::Response => {
                self.engine.response(chunk, sink);
                &mut self.responses
            }
        };
        let parts = std::mem::take(&mut self.engine.parts);
        let (mut head, mut tail) = (chunk.head.to_vec(), chunk.tail.to_vec());
        mask.operation(&parts, chunk.len, &mut head, &mut tail);
        (head, tail)
    }

    /// As [`Engine::close`].
    pub fn close(&mut self, direction: Direction, at: Moment) {
        self.engine.close(direction, at, &mut |event| count(&mut self.open, &event));
    }

    /// As [`Engine::pass`].
    pub fn pass(&mut self, direction: Direction, until: u64, at: Moment) -> Option<u64> {
        let passed =
            self.engine.pass(direction, until, at, &mut |event| count(&mut self.open, &event));
        self.engine.parts.clear();
        passed
    }

    /// As [`Engine::body_left`].
    #[must_use]
    pub fn body_left(&self, direction: Direction) -> u64 {
        self.engine.body_left(direction)
    }

    /// No exchange is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open == 0
    }

    /// A response comes whose request has not been told yet: it is taken for a response to a
    /// request of which nothing special is known.
    pub fn expect_response(&mut self) {
        self.engine.expect_response();
    }
}

fn count(open: &mut usize, event: &Event) {
    match event {
        Event::RequestStarted { .. } => *open += 1,
        Event::ResponseEnded { .. } | Event::Abandoned { .. } => *open = open.saturating_sub(1),
        Event::RequestHead(..)
        | Event::RequestEnded { .. }
        | Event::ResponseStarted { .. }
        | Event::ResponseHead(..)
        | Event::Extended { .. }
        | Event::Left(_)
        | Event::Fault(_) => {}
    }
}
