//! The HTTP/2 engine under operations of any kind: what it promises of its events' order holds. What masks
//! recordings sees the same, and neither loses nor makes up a byte.
//!
//! An input is a byte whose bit 0 says whether the connection is seen from its beginning, then a row
//! of [`crate::operations`]. Bit 4 of their flags: more has moved behind it unseen, a byte says how much.

use std::collections::BTreeMap;

use tracer_user::connection::Moment;
use tracer_user::protocol::http1::Direction;
use tracer_user::protocol::http2::hpack::Decoder;
use tracer_user::protocol::http2::{Engine, Event, Masking, sight};
use tracer_user::protocol::redact::Pseudonym;

use crate::http1::LIMITS;
use crate::input::Input;
use crate::operations::Operations;

/// Plays the input; afterwards both directions are closed.
pub fn http2(data: &[u8]) {
    let mut input = Input(data);
    let fresh = input.byte() & 1 != 0;
    let mut engine = Engine::new(LIMITS, fresh);
    let mut masking = Masking::new(&LIMITS, &Pseudonym::default(), fresh);
    let mut operations = Operations::new(input);
    let mut promises = Promises::default();
    let mut hear = |event: Event| promises.hear(&event);
    while let Some(operation) = operations.next() {
        let (direction, at) = (operation.direction, operation.chunk.at);
        let _ = sight(operation.chunk.head);
        let (chunk, masked) = (&operation.chunk, masking.operation(direction, &operation.chunk));
        let given = masked.before + chunk.head.len() + chunk.tail.len();
        assert_eq!(masked.head.len() + masked.tail.len() + masked.withheld, given, "bytes");
        match direction {
            Direction::Request => engine.request(&operation.chunk, &mut hear),
            Direction::Response => engine.response(&operation.chunk, &mut hear),
        }
        if operation.closes() {
            engine.close(direction, at, &mut hear);
        }
    }
    engine.close(Direction::Request, Moment::default(), &mut hear);
    engine.close(Direction::Response, Moment::default(), &mut hear);
    assert!(promises.open.is_empty(), "streams without an outcome");
}

/// A row of header blocks, each with its length before it, read by whoever knows the table and by one
/// who has come late: what both know is the same.
pub fn hpack(data: &[u8]) {
    let (mut input, mut known, mut late) = (Input(data), Decoder::new(true), None::<Decoder>);
    while !input.is_empty() {
        let block = input.bytes();
        let (fields, whole) = known.decode(block, 50);
        if !whole {
            return;
        }
        let Some(late) = &mut late else {
            late = Some(Decoder::new(false));
            continue;
        };
        let (seen, _) = late.decode(block, 50);
        assert_eq!(seen.len(), fields.len(), "other fields");
        for (seen, field) in seen.iter().zip(&fields) {
            assert!(seen.name.is_none() || seen.name == field.name, "another name");
            assert!(seen.value.is_none() || field.value.is_none() || seen.value == field.value);
        }
    }
}

/// What [`Event`] says of the order of events.
#[derive(Default)]
struct Promises {
    /// Whether the response of each open stream has begun.
    open: BTreeMap<u32, bool>,
}

impl Promises {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::RequestStarted { stream, .. } => {
                assert!(self.open.insert(*stream, false).is_none(), "{event:?} twice");
            }
            Event::RequestHead(stream, _) | Event::RequestEnded { stream, .. } => {
                assert!(self.open.contains_key(stream), "{event:?} of no stream");
            }
            Event::ResponseStarted { stream, .. } => {
                assert_eq!(self.open.insert(*stream, true), Some(false), "{event:?}");
            }
            Event::ResponseHead(stream, _) => {
                assert_eq!(self.open.get(stream), Some(&true), "{event:?}");
            }
            Event::Ended { stream, .. } | Event::Abandoned { stream, .. } => {
                assert!(self.open.remove(stream).is_some(), "{event:?} of no stream");
            }
            Event::Fault(_) => {}
        }
    }
}
