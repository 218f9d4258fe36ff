//! The HTTP/1 engine under operations of any kind: what it promises of its events' order holds.
//!
//! An input is a row of operations: a byte of flags, a length with as many bytes from the operation's
//! beginning, and if bit 3 is set, a number of hidden bytes and a length with as many bytes from its
//! end. Bit 0: a response. Bit 1: a gap of one byte's value before it. Bit 2: the direction closes.

use tracer_user::connection::{Chunk, Moment};
use tracer_user::protocol::http1::{Direction, Engine, Event, Limits};

use crate::input::Input;

/// Small, so that they are reached.
pub(crate) const LIMITS: Limits =
    Limits { max_head: 200, max_headers: 5, max_target: 8, max_pending: 3 };

/// Plays the input; afterwards both directions are closed.
pub fn http1(data: &[u8]) {
    let (mut input, mut engine) = (Input(data), Engine::new(LIMITS));
    let (mut positions, mut order) = ([0_u64; 2], 0);
    let mut promises = Promises::default();
    let mut hear = |event: Event| promises.hear(&event);
    while !input.is_empty() {
        order += 1;
        let at = Moment { time: order, order, pid: 1, tid: 1, ..Moment::default() };
        let flags = input.byte();
        let (number, direction) = match flags & 1 {
            0 => (0, Direction::Request),
            _ => (1, Direction::Response),
        };
        if flags & 2 != 0 {
            positions[number] += u64::from(input.byte());
        }
        let head = input.bytes();
        let (hidden, tail) =
            if flags & 8 != 0 { (u64::from(input.byte()), input.bytes()) } else { (0, &[][..]) };
        let len = hidden + (head.len() + tail.len()) as u64;
        let chunk = Chunk { at, position: positions[number], len, head, tail };
        match direction {
            Direction::Request => engine.request(&chunk, &mut hear),
            Direction::Response => engine.response(&chunk, &mut hear),
        }
        positions[number] += len;
        if flags & 4 != 0 {
            engine.close(direction, at, &mut hear);
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
