//! What is masked is read as the original was, however the operations are cut.

use proptest::collection::vec;
use proptest::prelude::{any, proptest};

use super::frame::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PADDED, PREFACE, RST_STREAM,
};
use super::{Engine, Event, Masking};
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::{Direction, Limits};
use crate::protocol::redact::Pseudonym;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes()[..], payload].concat()
}

/// A literal that goes to the table.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8][..], text.as_bytes()].concat();
    [&[0x40][..], &text(name), &text(value)].concat()
}

fn message(text: &str) -> Vec<u8> {
    [&[0, 0, 0, 0, text.len() as u8][..], text.as_bytes()].concat()
}

const SECRET: &str = "hunter2";

/// What the client sends, and what the server does.
fn conversation() -> [Vec<u8>; 2] {
    let call = [
        &[0x83, 0x86][..],
        &field(":path", "/shop.Cart/Add?token=hunter2&x=1"),
        &field("content-type", "application/grpc"),
        &field("authorization", "Bearer hunter2"),
        &field("user-agent", "test"),
    ]
    .concat();
    // By their places in the table, the newest first: authorization, content-type, :path.
    let again = [0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe];
    let messages = [message(SECRET), message(""), message(SECRET)].concat();
    let padded = [&[4][..], &message(SECRET), b"hunt"].concat();
    let requests = [
        PREFACE.to_vec(),
        frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(HEADERS, END_HEADERS, 1, &call),
        frame(DATA, 0, 1, &messages[..9]),
        frame(DATA, END_STREAM, 1, &messages[9..]),
        frame(HEADERS, 0, 3, &again[..3]),
        frame(CONTINUATION, END_HEADERS, 3, &again[3..]),
        frame(DATA, PADDED | END_STREAM, 3, &padded),
        frame(HEADERS, END_HEADERS | END_STREAM, 5, &[0x82, 0x86, 0x84]),
        frame(0x77, 0xff, 5, SECRET.as_bytes()),
        frame(RST_STREAM, 0, 5, &[0, 0, 0, 8]),
    ];
    let head = [&[0x88][..], &field("content-type", "application/grpc+proto")].concat();
    let trailers = [field("grpc-status", "5"), field("grpc-message", SECRET)].concat();
    let responses = [
        frame(4, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, &head),
        frame(DATA, 0, 1, &messages),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailers),
        frame(HEADERS, END_HEADERS, 3, &[0x88, 0xc0]),
        frame(DATA, 0, 3, &message("")),
        frame(HEADERS, END_HEADERS | END_STREAM, 3, &[0xc0, 0xbf]),
        frame(7, 0, 0, &[&[0; 8], SECRET.as_bytes()].concat()),
    ];
    [requests.concat(), responses.concat()]
}

/// Feeds operations, cut at these places, as they are or masked; what the engine says, and all bytes that
/// were told.
fn play(cuts: &[usize], masked: bool, fresh: bool) -> (Vec<Event>, Vec<u8>) {
    let limits = Limits::default();
    let mut masking = Masking::new(&limits, &Pseudonym::default(), fresh);
    let mut engine = Engine::new(limits, fresh);
    let (mut events, mut told) = (vec![], vec![]);
    let directions = [Direction::Request, Direction::Response];
    for (bytes, direction) in conversation().iter().zip(directions) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for (number, range) in cuts.windows(2).enumerate() {
            let [from, to] = *range else { continue };
            if from == to {
                continue;
            }
            let at = Moment { time: number as u64, ..Moment::default() };
            let mut position = from as u64;
            let mut head = bytes[from..to].to_vec();
            if masked {
                let len = head.len() as u64;
                let chunk = Chunk { at, position, len, head: &head, tail: &[] };
                let out = masking.operation(direction, &chunk);
                position -= out.before as u64;
                assert_eq!(out.head.len(), out.before + head.len() - out.withheld);
                assert_eq!(masking.withheld(direction), out.withheld);
                head = out.head;
            }
            told.extend_from_slice(&head);
            let chunk = Chunk { at, position, len: head.len() as u64, head: &head, tail: &[] };
            let mut hear = |event| events.push(event);
            match direction {
                Direction::Request if !head.is_empty() => engine.request(&chunk, &mut hear),
                Direction::Response if !head.is_empty() => engine.response(&chunk, &mut hear),
                _ => {}
            }
        }
    }
    if masked && fresh {
        assert!(masking.is_idle(), "a stream is left open");
        assert_eq!(told.len(), conversation().concat().len(), "every byte is told once");
    }
    (events, told)
}

fn shows_secret(told: &[u8]) -> bool {
    told.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes())
}

proptest! {
    #[test]
    fn every_cut_reads_the_same(cuts in vec(any::<usize>(), 0..9)) {
        let (want, _) = play(&cuts, false, true);
        let (got, told) = play(&cuts, true, true);
        assert!(got == want, "{cuts:?}");
        assert!(!shows_secret(&told));
    }

    #[test]
    fn in_the_middle_nothing_more_is_told(cuts in vec(any::<usize>(), 0..9)) {
        let (_, told) = play(&cuts, true, false);
        assert!(!shows_secret(&told));
    }
}

#[test]
fn the_conversation_is_what_it_seems() {
    let (events, told) = play(&[], false, true);
    assert!(shows_secret(&told));
    let ended = events.iter().filter_map(|event| match event {
        Event::Ended { stream, outcome, .. } => Some((*stream, outcome.clone())),
        _ => None,
    });
    let rpc = |stream| {
        let outcome = ended.clone().find(|(ended, _)| *ended == stream).unwrap().1;
        let rpc = outcome.rpc.unwrap();
        (rpc.status, rpc.requests.count, rpc.responses.count, rpc.requests.inexact)
    };
    assert_eq!(rpc(1), (Some(5), 3, 3, false));
    assert_eq!(rpc(3), (Some(5), 1, 1, false));
    assert!(!events.iter().any(|event| matches!(event, Event::Fault(_))), "{events:?}");
}
