//! Nothing that arrives makes the engine panic, and its promises hold whatever arrives.

use super::Conversation;
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::{Abandon, Direction, Event, Fault, Leave, Limits};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeSet;

const LIMITS: Limits = Limits { max_head: 200, max_headers: 5, max_target: 8, max_pending: 3 };

const LONG: [u8; 190] = [b'x'; 190];

#[derive(Clone, Debug)]
enum Act {
    Move { direction: Direction, shift: i64, len: u64, head: Vec<u8>, tail: Vec<u8> },
    Close(Direction),
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Request), Just(Direction::Response)]
}

/// Pieces of HTTP, so that random input gets beyond the first byte.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(&b"GET / HTTP/1.1\r\n"[..]),
        Just(&b"HEAD /x HTTP/1.0\r\n"[..]),
        Just(&b"CONNECT h:1 HTTP/1.1\r\n"[..]),
        Just(&b"GET /y HTTP/1.1\r\n\r\n"[..]),
        Just(&b"HTTP/1.1 204 N\r\n\r\n"[..]),
        Just(&b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"[..]),
        Just(&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"[..]),
        Just(&b"Transfer-Encoding: gzip\r\n"[..]),
        Just(&b"A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"[..]),
        Just(&LONG[..]),
        Just(&b"FOO / HTTP/1.1\r\n"[..]),
        Just(&b"HTTP/1.1 200 OK\r\n"[..]),
        Just(&b"HTTP/1.1 100 C\r\n"[..]),
        Just(&b"HTTP/1.1 101 S\r\n"[..]),
        Just(&b"HTTP/1.0 304 N\r\n"[..]),
        Just(&b"Content-Length: 7\r\n"[..]),
        Just(&b"Content-Length: 99999999999999999999\r\n"[..]),
        Just(&b"Transfer-Encoding: chunked\r\n"[..]),
        Just(&b"Expect: 100-continue\r\n"[..]),
        Just(&b"\r\n"[..]),
        Just(&b"\r\n\r\n"[..]),
        Just(&b"5\r\nabcde\r\n"[..]),
        Just(&b"ffffffffffffffff\r\n"[..]),
        Just(&b"0\r\n\r\n"[..]),
        Just(&b"\r\n0\r\n\r\n"[..]),
        Just(&b"PROXY TCP4 a b 1 2\r\n"[..]),
        Just(&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04abcd"[..]),
    ];
    let noise = vec(any::<u8>(), 0..12);
    let whole = vec(prop_oneof![4 => piece.prop_map(<[u8]>::to_vec), 1 => noise], 0..6);
    (whole.prop_map(|pieces| pieces.concat()), any::<u8>()).prop_map(|(mut bytes, cut)| {
        // Now and then something is cut off.
        if cut < 64 {
            bytes.truncate(usize::from(cut));
        }
        bytes
    })
}

fn act() -> impl Strategy<Value = Act> {
    let shift = prop_oneof![40 => Just(0), 1 => -20i64..50, 1 => any::<i64>()];
    let hidden = prop_oneof![6 => Just(0), 3 => 0u64..40, 1 => any::<u64>()];
    let last_chunk = Just(b"\r\n0\r\n\r\n".to_vec());
    let tail = prop_oneof![3 => Just(Vec::new()), 1 => bytes(), 1 => last_chunk];
    let moves = (direction(), shift, hidden, bytes(), tail).prop_map(
        |(direction, shift, hidden, head, tail)| {
            let len = hidden.saturating_add((head.len() + tail.len()) as u64);
            Act::Move { direction, shift, len, head, tail }
        },
    );
    prop_oneof![30 => moves, 1 => direction().prop_map(Act::Close)]
}

/// The order that [`Event`] promises.
fn check(events: &[Event], closed: bool) {
    let (mut started, mut ended, mut settled, mut answering) = (0, 0, 0, false);
    for (number, event) in events.iter().enumerate() {
        let place = || format!("event {number} of {events:#?}");
        match event {
            Event::RequestStarted { .. } => {
                assert_eq!(started, ended, "{}", place());
                started += 1;
            }
            Event::RequestHead(..) => assert_eq!(started, ended + 1, "{}", place()),
            Event::RequestEnded { .. } => {
                ended += 1;
                assert_eq!(started, ended, "{}", place());
            }
            Event::ResponseStarted { .. } => {
                assert!(!answering && settled < started, "{}", place());
                answering = true;
            }
            Event::ResponseHead(..) => assert!(answering, "{}", place()),
            Event::ResponseEnded { .. } => {
                assert!(answering, "{}", place());
                (answering, settled) = (false, settled + 1);
            }
            Event::Abandoned { .. } => {
                assert!(!answering && settled < started, "{}", place());
                settled += 1;
            }
            Event::Left(_) => assert_eq!(number + 1, events.len(), "{}", place()),
            Event::Extended { .. } | Event::Fault(_) => {}
        }
        assert!(started - settled <= LIMITS.max_pending, "{}", place());
    }
    if closed {
        assert_eq!((started, settled, answering), (ended, started, false), "{events:#?}");
    }
}

/// What has a name in an event, to see how far random input gets.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Fault(fault) => fault.name(),
        Event::Abandoned { why: Abandon::Loss, .. } => "loss",
        Event::Abandoned { why: Abandon::Closed, .. } => "closed",
        Event::Abandoned { why: Abandon::Left, .. } => "left",
        Event::Left(Leave::Upgrade) => "upgrade",
        Event::Left(Leave::WebSocket) => "websocket",
        Event::Left(Leave::Tunnel) => "tunnel",
        Event::Left(Leave::TooDeep) => "too deep",
        Event::Extended { .. } => "extended",
        Event::RequestEnded { complete: true, .. } => "whole request",
        Event::ResponseEnded { complete: true, .. } => "whole response",
        Event::ResponseEnded { complete: false, .. } => "cut response",
        _ => "other",
    }
}

#[test]
fn whatever_comes_the_promises_hold() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config { cases: 1000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let kinds = RefCell::new(BTreeSet::new());
    let run = |acts: Vec<Act>| {
        let mut c = Conversation::with(LIMITS);
        for act in acts {
            match act {
                Act::Move { direction, shift, len, head, tail } => {
                    let position = c.position(direction).saturating_add_signed(shift);
                    let chunk =
                        Chunk { at: Moment::default(), position, len, head: &head, tail: &tail };
                    c.at(direction, chunk);
                    let end = position.saturating_add(len);
                    c.lose(direction, end.saturating_sub(c.position(direction)));
                }
                Act::Close(direction) => {
                    c.close(direction);
                }
            }
        }
        check(&c.events, false);
        c.close_both();
        check(&c.events, true);
        kinds.borrow_mut().extend(c.events.iter().map(kind));
        Ok(())
    };
    runner.run(&vec(act(), 0..40), run).unwrap();
    let kinds = kinds.into_inner();
    assert_eq!(kinds.len(), Fault::ALL.len() + 11, "not all was reached: {kinds:?}");
}
