//! The same conversation in two divisions into operations is told the same, up to the first fault:
//! from there on messages are looked for at the beginnings of operations.
//!
//! An input is a length with as many lengths of operations, then the turns of a conversation: a byte
//! whose bit 0 says that it is the server's, and a length with as many bytes.

use tracer_user::connection::{Chunk, Moment};
use tracer_user::protocol::http1::{Direction, Engine, Event};

use crate::http1::LIMITS;
use crate::input::Input;

/// Tells the input's conversation twice and compares.
pub fn http1_split(data: &[u8]) {
    let mut input = Input(data);
    let cuts = input.bytes();
    let mut turns = vec![];
    while !input.is_empty() {
        let direction =
            if input.byte() & 1 == 0 { Direction::Request } else { Direction::Response };
        turns.push((direction, input.bytes()));
    }
    // Of these the beginnings of operations matter without a fault: what is sent behind CONNECT
    // before its answer, and a request instead of a body that was announced with Expect.
    let has = |word: &[u8]| {
        let all: Vec<u8> = turns.iter().flat_map(|(_, bytes)| bytes.to_ascii_lowercase()).collect();
        all.windows(word.len()).any(|window| window == word)
    };
    if cuts.is_empty() || has(b"connect ") || has(b"100-continue") {
        return;
    }
    let (whole, parts) = (told(&turns, &[]), told(&turns, cuts));
    let sound = |said: &[Option<String>]| said.iter().take_while(|line| line.is_some()).count();
    let compared = sound(&whole).min(sound(&parts));
    assert_eq!(whole.get(..compared), parts.get(..compared), "{turns:?}");
    let faulty = [&whole, &parts].into_iter().any(|said| said.contains(&None));
    assert!(faulty || whole.len() == parts.len(), "{whole:#?} {parts:#?}");
}

/// What the engine says; operations have the lengths of `cuts`, again and again. A fault is `None`.
fn told(turns: &[(Direction, &[u8])], cuts: &[u8]) -> Vec<Option<String>> {
    let mut engine = Engine::new(LIMITS);
    let (mut said, mut positions, mut begun) = (vec![], [0_u64; 2], 0);
    let mut cuts = cuts.iter().map(|cut| usize::from(*cut).max(1)).cycle();
    for (direction, bytes) in turns {
        let mut left = *bytes;
        while !left.is_empty() {
            let len = cuts.next().unwrap_or(usize::MAX).min(left.len());
            let (head, rest) = left.split_at(len);
            left = rest;
            let mut hear = |event: Event| match event {
                Event::RequestStarted { position, .. } => begun = position,
                Event::ResponseStarted { .. } => {}
                Event::Fault(_) => said.push(None),
                event => said.push(Some(line(&event, begun))),
            };
            let position = &mut positions[*direction as usize];
            let at = Moment::default();
            let chunk = Chunk { at, position: *position, len: len as u64, head, tail: &[] };
            match direction {
                Direction::Request => engine.request(&chunk, &mut hear),
                Direction::Response => engine.response(&chunk, &mut hear),
            }
            *position += len as u64;
        }
    }
    said
}

/// An event without what depends on the operations. Where a request began is told with its head: that
/// it begins is told sooner when it comes in small pieces.
fn line(event: &Event, begun: u64) -> String {
    match event {
        Event::RequestHead(head, _) => format!("{begun} {head:?}"),
        Event::ResponseHead(head, _) => format!("{head:?}"),
        Event::RequestEnded { body, complete, .. } => format!("request {body} {complete}"),
        Event::ResponseEnded { body, complete, .. } => format!("response {body} {complete}"),
        Event::Extended { direction, body, .. } => format!("extended {direction:?} {body}"),
        Event::Abandoned { why, .. } => format!("abandoned {why:?}"),
        event => format!("{event:?}"),
    }
}
