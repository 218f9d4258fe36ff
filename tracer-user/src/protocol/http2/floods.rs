//! Floods: what clients send to exhaust a server's memory does not exhaust ours.

use super::frame::{CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, RST_STREAM};
use super::masking_tests::{field, frame};
use super::streams::MAX_STREAMS;
use super::{Abandon, Engine, Event, Fault};
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::Limits;

/// A connection whose client sends one operation after the other.
struct Play {
    engine: Engine,
    positions: [u64; 2],
    events: Vec<Event>,
}

impl Play {
    fn new() -> Self {
        let engine = Engine::new(Limits::default(), true);
        let mut play = Self { engine, positions: [0; 2], events: vec![] };
        play.sends(true, PREFACE);
        play
    }

    fn sends(&mut self, client: bool, bytes: &[u8]) {
        let Some(position) = self.positions.get_mut(usize::from(client)) else { return };
        let len = bytes.len() as u64;
        let at = Moment::default();
        let chunk = Chunk { at, position: *position, len, head: bytes, tail: &[] };
        *position += len;
        let events = &mut self.events;
        if client {
            self.engine.request(&chunk, &mut |event| events.push(event));
        } else {
            self.engine.response(&chunk, &mut |event| events.push(event));
        }
    }

    fn get(&mut self, stream: u32) {
        self.sends(true, &frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0x82, 0x86, 0x84]));
    }

    fn count(&self, of: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| of(event)).count()
    }
}

#[test]
fn more_streams_than_are_followed_are_given_up() {
    let mut play = Play::new();
    let all = 2 * MAX_STREAMS as u32;
    (0..all).for_each(|number| play.get(2 * number + 1));
    assert_eq!(play.engine.streams.len(), MAX_STREAMS);
    let full = |event: &Event| matches!(event, Event::Abandoned { why: Abandon::Full, .. });
    assert_eq!(play.count(full), MAX_STREAMS);
    // The newest are answered.
    play.sends(false, &frame(HEADERS, END_HEADERS | END_STREAM, 2 * all - 1, &[0x88]));
    let last =
        |event: &Event| matches!(event, Event::Ended { stream, .. } if *stream == 2 * all - 1);
    assert_eq!(play.count(last), 1);
}

#[test]
fn thousands_of_streams_at_once_are_all_told() {
    let mut play = Play::new();
    let streams: Vec<u32> = (0..5000).map(|number| 2 * number + 1).collect();
    streams.iter().for_each(|stream| play.get(*stream));
    for stream in streams.iter().rev() {
        play.sends(false, &frame(HEADERS, END_HEADERS | END_STREAM, *stream, &[0x88]));
    }
    assert_eq!(play.count(|event| matches!(event, Event::Ended { .. })), streams.len());
    assert_eq!(play.count(|event| matches!(event, Event::Fault(_))), 0);
}

#[test]
fn a_header_block_without_end_is_not_kept() {
    let mut play = Play::new();
    play.sends(true, &frame(HEADERS, END_STREAM, 1, &[0x82, 0x86, 0x84]));
    let more = frame(CONTINUATION, 0, 1, &field("x-more", "of the same").repeat(200));
    for _ in 0..5000 {
        play.sends(true, &more);
    }
    let kept = play.engine.kept();
    assert!(kept <= Limits::default().max_head + more.len(), "{kept} bytes");
    play.sends(true, &frame(CONTINUATION, END_HEADERS, 1, &[]));
    let long = |event: &Event| matches!(event, Event::Fault(Fault::HeaderBlockTooLong));
    assert_eq!(play.count(long), 1);
    // What follows is read, with a table that is not known any more.
    play.get(3);
    assert_eq!(play.count(|event| matches!(event, Event::RequestHead(3, _))), 1);
}

#[test]
fn streams_that_are_reset_at_once_leave_nothing() {
    let mut play = Play::new();
    for number in 0..50_000 {
        let stream = 2 * number + 1;
        play.get(stream);
        play.sends(true, &frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
    }
    assert_eq!(play.engine.streams.len(), 0);
    let reset =
        |event: &Event| matches!(event, Event::Ended { outcome, .. } if outcome.reset == Some(8));
    assert_eq!(play.count(reset), 50_000);
}

#[test]
fn what_a_server_refuses_as_it_goes_away_is_over() {
    let mut play = Play::new();
    [1, 3, 5, 7].into_iter().for_each(|stream| play.get(stream));
    let last_is_3 = [0, 0, 0, 3, 0, 0, 0, 0];
    (0..100).for_each(|_| play.sends(false, &frame(GOAWAY, 0, 0, &last_is_3)));
    let refused = |event: &Event| matches!(event, Event::Ended { stream: 5 | 7, outcome, .. } if outcome.reset == Some(7));
    assert_eq!((play.count(refused), play.engine.streams.len()), (2, 2));
    play.sends(false, &frame(HEADERS, END_HEADERS | END_STREAM, 3, &[0x88]));
    assert_eq!(play.engine.streams.len(), 1);
}
