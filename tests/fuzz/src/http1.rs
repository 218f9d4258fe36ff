//! The HTTP/1 engine under operations of any kind: what it promises of its events' order holds.
//! An input is a row of [`crate::operations`].

use tracer_user::connection::Moment;
use tracer_user::protocol::http1::{Direction, Engine, Event, Limits};

use crate::input::Input;
use crate::operations::Operations;

/// Small, so that they are reached.
pub(crate) const LIMITS: Limits =
    Limits { max_head: 200, max_headers: 5, max_target: 8, max_pending: 3 };

/// Plays the input; afterwards both directions are closed.
pub fn http1(data: &[u8]) {
    let (mut operations, mut engine) = (Operations::new(Input(data)), Engine::new(LIMITS));
    let mut promises = Promises::default();
    let mut hear = |event: Event| promises.hear(&event);
    while let Some(operation) = operations.next() {
        match operation.direction {
            Direction::Request => engine.request(&operation.chunk, &mut hear),
            Direction::Response => engine.response(&operation.chunk, &mut hear),
        }
        if operation.closes() {
            engine.close(operation.direction, operation.chunk.at, &mut hear);
        }
    }
    engine.close(Direction::Request, Moment::default(), &mut hear);
    engine.close(Direction::Response, Moment::default(), &mut hear);
    promises.check_closed();
}

/// What [`Event`] says of the order of events.
#[derive(Default)]
struct Promises {
    started: usize,
    ended: usize,
    settled: usize,
    answering: bool,
    left: bool,
}

impl Promises {
    fn hear(&mut self, event: &Event) {
        assert!(!self.left, "{event:?} after the end of HTTP");
        match event {
            Event::RequestStarted { .. } => {
                assert_eq!(self.started, self.ended, "a request within a request");
                self.started += 1;
            }
            Event::RequestHead(..) => assert_eq!(self.started, self.ended + 1, "{event:?}"),
            Event::RequestEnded { .. } => {
                self.ended += 1;
                assert_eq!(self.started, self.ended, "a request ends twice");
            }
            Event::ResponseStarted { .. } => {
                assert!(!self.answering && self.settled < self.started, "a response to nothing");
                self.answering = true;
            }
            Event::ResponseHead(..) => assert!(self.answering, "{event:?}"),
            Event::ResponseEnded { .. } => {
                assert!(self.answering, "a response ends twice");
                (self.answering, self.settled) = (false, self.settled + 1);
            }
            Event::Abandoned { .. } => {
                assert!(!self.answering && self.settled < self.started, "{event:?}");
                self.settled += 1;
            }
            Event::Left(_) => self.left = true,
            Event::Extended { .. } | Event::Fault(_) => {}
        }
        assert!(self.started - self.settled <= LIMITS.max_pending, "too many are open");
    }

    fn check_closed(&self) {
        assert_eq!(self.started, self.ended, "a request without an end");
        assert_eq!(self.started, self.settled, "a request without an outcome");
        assert!(!self.answering, "a response without an end");
    }
}
