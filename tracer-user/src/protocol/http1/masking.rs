//! Operations without what is private: secrets in heads are masked, the contents of bodies and
//! whatever is not HTTP are blanked, each at the same length and so that an [`Engine`] finds the
//! same in what is left.

use super::engine::{Engine, Limits};
use super::event::{Direction, Event, Leave};
use super::mask::{BLANK, Mask};
use crate::connection::{Chunk, Moment};
use crate::protocol::redact::Pseudonym;
use crate::protocol::websocket;

/// Follows one connection as an [`Engine`] does, operation by operation, and masks each.
#[derive(Clone, Debug)]
pub struct Masking {
    engine: Engine,
    requests: Mask,
    responses: Mask,
    /// What the connection goes on as.
    websocket: Option<websocket::Mask>,
    /// Requests that have begun and whose responses have not ended.
    open: usize,
    /// It has gone on as something else, by an upgrade.
    upgraded: bool,
}

impl Masking {
    /// For a new connection, or one that is met in the middle. `ids`: how ids are told.
    #[must_use]
    pub fn new(limits: Limits, ids: &Pseudonym) -> Self {
        let mut engine = Engine::new(limits);
        engine.note();
        let [requests, responses] = [ids, ids].map(|ids| Mask::new(ids.clone()));
        Self { engine, requests, responses, websocket: None, open: 0, upgraded: false }
    }

    /// Takes an operation of which `head` and `tail` are known, as [`Engine::request`] and
    /// [`Engine::response`] do. Returns both masked.
    pub fn operation(&mut self, direction: Direction, chunk: &Chunk<'_>) -> (Vec<u8>, Vec<u8>) {
        if let Some(websocket) = &mut self.websocket {
            let blank = |bytes: &[u8]| vec![BLANK; bytes.len()];
            let (mut head, mut tail) = (blank(chunk.head), blank(chunk.tail));
            websocket.operation(direction, chunk, &mut head, &mut tail);
            return (head, tail);
        }
        let mut switched = false;
        let sink = &mut |event| {
            self.upgraded |= event == Event::Left(Leave::Upgrade);
            switched |= event == Event::Left(Leave::WebSocket);
            count(&mut self.open, &event);
        };
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
        if switched {
            let websocket = self.websocket.insert(websocket::Mask(self.engine.websocket()));
            websocket.operation(direction, chunk, &mut head, &mut tail);
        }
        (head, tail)
    }

    /// As [`Engine::close`].
    pub fn close(&mut self, direction: Direction, at: Moment) {
        self.engine.close(direction, at, &mut |event| count(&mut self.open, &event));
        if let Some(websocket) = &mut self.websocket {
            websocket.0.close(direction);
        }
    }

    /// As [`Engine::pass`].
    pub fn pass(&mut self, direction: Direction, until: u64, at: Moment) -> Option<u64> {
        if let Some(websocket) = &mut self.websocket {
            return websocket.0.pass(direction, until);
        }
        let passed =
            self.engine.pass(direction, until, at, &mut |event| count(&mut self.open, &event));
        self.engine.parts.clear();
        passed
    }

    /// As [`Engine::body_left`].
    #[must_use]
    pub fn body_left(&self, direction: Direction) -> u64 {
        match &self.websocket {
            Some(websocket) => websocket.0.payload_left(direction),
            None => self.engine.body_left(direction),
        }
    }

    /// No exchange is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open == 0 && self.websocket.as_ref().is_none_or(|websocket| websocket.0.is_over())
    }

    /// From which position of the response direction on it is what an upgrade has made it.
    #[must_use]
    pub fn upgraded(&self) -> Option<u64> {
        self.upgraded.then(|| self.engine.left_at())
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
