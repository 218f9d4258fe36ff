//! One connection: both directions and the requests between them.

use super::event::{Abandon, Direction, Event, Leave};
use super::head::{RequestHead, ResponseHead};
use super::part::Parts;
use super::queue::{Pending, Queue};
use super::reader::{Head, Reader};
use super::window::Window;
use crate::connection::{Chunk, Moment};
use crate::protocol::websocket::Conversation;
use tracer_common::head::look_at;

/// What one connection may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message head.
    pub max_head: usize,
    /// Fields of a message head.
    pub max_headers: usize,
    /// Bytes of a request target that are kept.
    pub max_target: usize,
    /// Requests without a response.
    pub max_pending: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_head: 16 * 1024, max_headers: 128, max_target: 2048, max_pending: 512 }
    }
}

/// Follows one connection as one side saw it. Operations come in the order in which they
/// completed; a response must not come before its request (the caller holds it back).
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) limits: Limits,
    pub(super) requests: Reader,
    pub(super) responses: Reader,
    pub(super) queue: Queue,
    /// The last request expects `100 Continue` before it sends its body.
    pub(super) expecting: bool,
    /// Requests may be missing in the queue after those that it has.
    pub(super) hole: bool,
    /// Responses may have been missed, so that those to come may not be the oldest request's.
    pub(super) lost: bool,
    pub(super) left: bool,
    /// Where it did, in the response direction.
    pub(super) left_at: u64,
    /// What was noted of the operation's bytes.
    pub(super) parts: Parts,
}

/// Where events go.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Event);

impl Engine {
    /// For a new connection, or one that is met in the middle.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Engine {
            limits,
            requests: Reader::new(),
            responses: Reader::new(),
            queue: Queue::default(),
            expecting: false,
            hole: false,
            lost: false,
            left: false,
            left_at: 0,
            parts: vec![],
        }
    }

    /// Bytes went from the HTTP client to the HTTP server.
    pub fn request(&mut self, chunk: &Chunk<'_>, sink: &mut dyn FnMut(Event)) {
        if self.left {
            return;
        }
        for mut window in self.requests.admit(chunk, true).into_iter().flatten() {
            self.review_requests(&window, sink);
            while !self.left
                && let Some(step) = self.requests.step::<RequestHead>(&mut window, &self.limits)
            {
                self.on_request(step, &mut window, chunk.at, sink);
            }
            self.collect(window);
        }
    }

    /// Bytes went from the HTTP server to the HTTP client.
    pub fn response(&mut self, chunk: &Chunk<'_>, sink: &mut dyn FnMut(Event)) {
        if self.left {
            return;
        }
        if self.responses.is_new() && chunk.position > 0 {
            // Met in the middle, or the first responses were lost: no matter which.
            self.lose_responses(None, chunk.at, sink);
        }
        for mut window in self.responses.admit(chunk, false).into_iter().flatten() {
            self.review_responses(&window, sink);
            while !self.left
                && let Some(step) = self.responses.step::<ResponseHead>(&mut window, &self.limits)
            {
                self.on_response(step, &mut window, chunk.at, sink);
            }
            self.collect(window);
        }
    }

    /// Notes from now on what bytes are.
    pub(super) fn note(&mut self) {
        (self.requests.noting, self.responses.noting) = (true, true);
    }

    /// A response comes to a request that was not told.
    pub(super) fn expect_response(&mut self) {
        if self.queue.is_empty() {
            self.queue.push(Pending::default());
        }
    }

    fn collect(&mut self, window: Window<'_>) {
        self.parts.extend(window.into_parts().into_iter().flatten());
    }

    /// Bytes up to stream position `until` have moved in operations that were not seen: an operation
    /// of the other direction says so, and is told next. What of them lies within a body is taken
    /// as such. Anything else is left for the operation that follows it: its record may only be
    /// late. Returns up to where they were taken.
    pub fn pass(
        &mut self,
        direction: Direction,
        until: u64,
        at: Moment,
        sink: &mut dyn FnMut(Event),
    ) -> Option<u64> {
        if self.left {
            return None;
        }
        let reader = match direction {
            Direction::Request => &mut self.requests,
            Direction::Response => &mut self.responses,
        };
        let mut window = reader.pass(until, at)?;
        let passed = window.position().saturating_add(window.len());
        match direction {
            Direction::Request => {
                while let Some(step) = self.requests.step(&mut window, &self.limits) {
                    self.on_request(step, &mut window, at, sink);
                }
            }
            Direction::Response => {
                while let Some(step) = self.responses.step(&mut window, &self.limits) {
                    self.on_response(step, &mut window, at, sink);
                }
            }
        }
        Some(passed)
    }

    /// How many bytes of the body under way come before the next one that has to be looked at;
    /// 0 outside a body.
    #[must_use]
    pub fn body_left(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Request => self.requests.body_left(),
            Direction::Response => self.responses.body_left(),
        }
    }

    /// No more bytes will come in this direction: end of stream, shutdown, or the connection is
    /// gone (then call it for both). After the response direction's end the requests that are left
    /// are abandoned. Saying it again changes nothing.
    pub fn close(&mut self, direction: Direction, at: Moment, sink: &mut dyn FnMut(Event)) {
        if self.left {
            return;
        }
        match direction {
            Direction::Request => {
                if let Some(step) = self.requests.close::<RequestHead>() {
                    self.on_request_over(step, at, sink);
                }
            }
            Direction::Response => {
                if let Some(step) = self.responses.close::<ResponseHead>() {
                    self.on_response_over(step, at, sink);
                }
            }
        }
        if self.responses.is_closed() {
            let why = if self.lost { Abandon::Loss } else { Abandon::Closed };
            self.abandon_all(why, at, sink);
        }
    }

    /// Position of the first byte from the server that is no longer HTTP/1, once a response has ended
    /// that ([`Leave::Upgrade`], [`Leave::WebSocket`], [`Leave::Tunnel`]).
    #[must_use]
    pub fn left_at(&self) -> u64 {
        self.left_at
    }

    /// WebSocket goes on where HTTP/1 has ended.
    #[must_use]
    pub fn websocket(&self) -> Conversation {
        Conversation::new(self.requests.at(), self.left_at)
    }

    /// HTTP is over on this connection.
    pub(super) fn leave(&mut self, how: Leave, at: Moment, sink: Sink<'_>) {
        if let Some(step) = self.requests.close::<RequestHead>() {
            self.on_request_over(step, at, sink);
        }
        if let Some(step) = self.responses.close::<ResponseHead>() {
            self.on_response_over(step, at, sink);
        }
        self.abandon_all(Abandon::Left, at, sink);
        self.left = true;
        sink(Event::Left(how));
    }

    /// Gives up every pending request.
    pub(super) fn abandon_all(&mut self, why: Abandon, at: Moment, sink: Sink<'_>) {
        while self.pop() {
            sink(Event::Abandoned { at, why });
        }
    }

    /// Removes the oldest request; false if there is none.
    pub(super) fn pop(&mut self) -> bool {
        let Some(pending) = self.queue.pop() else { return false };
        if pending.connect && !self.requests.release() {
            self.hole = true;
        }
        true
    }
}

/// An operation begins like a head of this kind.
pub(super) fn begins<H: Head>(window: &Window<'_>) -> bool {
    window.at_start() && H::is_start(look_at(window.known()))
}
