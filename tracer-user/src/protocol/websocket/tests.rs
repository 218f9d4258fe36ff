use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::Config;

use super::conversation::{Conversation, Fault};
use super::mask::Mask;
use super::reader::Tally;
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::Direction;

/// Where both directions begin.
const BEGIN: u64 = 100;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as RFC 6455 has it; `masked`: the client's.
fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mut bytes = vec![first];
    let mask = if masked { 0x80 } else { 0 };
    match payload.len() {
        short @ 0..126 => bytes.push(mask | short as u8),
        long @ 126..65_536 => {
            bytes.push(mask | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
        huge => {
            bytes.push(mask | 127);
            bytes.extend((huge as u64).to_be_bytes());
        }
    }
    if masked {
        bytes.extend(KEY);
        bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        bytes.extend(payload);
    }
    bytes
}

fn chunk(position: u64, bytes: &[u8]) -> Chunk<'_> {
    Chunk { at: Moment::default(), position, len: bytes.len() as u64, head: bytes, tail: &[] }
}

fn talk(masked: bool, chunks: &[Chunk<'_>]) -> (Tally, Vec<Fault>) {
    let mut talk = Conversation::new(BEGIN, BEGIN);
    let direction = if masked { Direction::Request } else { Direction::Response };
    let faults = chunks.iter().filter_map(|chunk| talk.operation(direction, chunk)).collect();
    (talk.tallies()[usize::from(!masked)], faults)
}

#[test]
fn messages_pieces_and_control_frames() {
    for masked in [false, true] {
        let close = [1000_u16.to_be_bytes().as_slice(), b"bye"].concat();
        let all = [
            frame(0x81, b"hello", masked),
            frame(0x01, b"in ", masked),
            frame(0x89, b"ping", masked),
            frame(0x00, b"three ", masked),
            frame(0x80, b"pieces", masked),
            frame(0xc2, &[7; 300], masked),
            frame(0x8a, b"", masked),
            frame(0x82, &[7; 70_000], masked),
            frame(0x82, b"", masked),
            frame(0x88, &close, masked),
        ];
        let (tally, faults) = talk(masked, &[chunk(BEGIN, &all.concat())]);
        let bytes = 5 + 3 + 6 + 6 + 300 + 70_000;
        let code = Some(1000);
        let want = Tally { messages: 5, bytes, beats: 2, closed: true, code, inexact: false };
        assert_eq!((tally, faults), (want, vec![]));
    }
}

#[test]
fn hidden_payloads_are_followed_and_hidden_headers_are_not() {
    let long = frame(0x82, &[7; 5000], false);
    let next = frame(0x81, b"after", false);
    let (head, tail) = (&long[..16], &next[..]);
    let len = (long.len() + next.len()) as u64;
    let seen = Chunk { at: Moment::default(), position: BEGIN, len, head, tail };
    let (tally, faults) = talk(false, &[seen]);
    assert_eq!((tally.messages, tally.bytes, tally.inexact, faults), (2, 5005, false, vec![]));
    let seen = Chunk { tail: &next[1..], ..seen };
    let (tally, faults) = talk(false, &[seen, chunk(BEGIN + len, &next)]);
    assert_eq!((tally.messages, tally.inexact, faults), (1, true, vec![Fault::FrameUnseen]));
    // An operation that was not seen lay within a payload, or did not.
    let (tally, _) = talk(false, &[chunk(BEGIN, head), chunk(BEGIN + long.len() as u64, &next)]);
    assert_eq!((tally.messages, tally.inexact), (2, false));
    let (tally, _) = talk(false, &[chunk(BEGIN, &next), chunk(BEGIN + 1000, &next)]);
    assert_eq!((tally.messages, tally.inexact), (1, true));
}

#[test]
fn what_is_no_frame_ends_the_count() {
    for wrong in [
        frame(0x80, b"of no message", false),
        frame(0x81, b"masked", true),
        b"HTTP/1.1 200 OK\r\n".to_vec(),
        [frame(0x01, b"a", false), frame(0x01, b"b", false)].concat(),
    ] {
        let bytes = [frame(0x81, b"fine", false), wrong, frame(0x81, b"lost", false)].concat();
        let (tally, faults) = talk(false, &[chunk(BEGIN, &bytes)]);
        assert_eq!((tally.messages, tally.inexact, faults), (1, true, vec![Fault::Frame]));
    }
}

#[test]
fn it_is_over_when_both_have_closed() {
    let mut talk = Conversation::new(BEGIN, BEGIN);
    let code = 1011_u16.to_be_bytes();
    talk.operation(Direction::Response, &chunk(BEGIN, &frame(0x88, &code, false)));
    assert!(!talk.is_over());
    talk.operation(Direction::Request, &chunk(BEGIN, &frame(0x88, &code, true)));
    assert!(talk.is_over());
    assert_eq!(talk.tallies().map(|tally| tally.code), [Some(1011); 2]);
}

#[test]
fn a_code_is_not_read_from_behind_its_frame() {
    let bytes = [frame(0x88, &[3], false), frame(0x81, b"next", false)].concat();
    let (tally, _) = talk(false, &[chunk(BEGIN, &bytes)]);
    assert_eq!((tally.closed, tally.code), (true, None));
}

fn frames() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let first =
        prop::sample::select(vec![0x81, 0x82, 0xc1, 0x01, 0x00, 0x80, 0x89, 0x8a, 0x88, 0x83]);
    let long = prop::collection::vec(any::<u8>(), 120..400);
    let payload = prop::strategy::Union::new([
        prop::collection::vec(any::<u8>(), 0..9).boxed(),
        long.boxed(),
    ]);
    prop::collection::vec((first, payload), 0..12)
}

/// An operation as the kernel tells it: its bytes, of which a middle part is hidden.
type Operation = (Vec<u8>, usize, usize);

fn cut(bytes: &[u8], cuts: &[(usize, usize, usize)]) -> Vec<Operation> {
    let mut operations = vec![];
    let mut rest = bytes;
    for (len, head, tail) in cuts {
        let (taken, left) = rest.split_at((*len).min(rest.len()));
        rest = left;
        let head = (*head).min(taken.len());
        operations.push((taken.to_vec(), head, (*tail).min(taken.len() - head)));
    }
    operations.push((rest.to_vec(), rest.len(), 0));
    operations
}

fn play(masked: bool, operations: &[Operation], shown: &mut dyn FnMut(&mut Chunk<'_>)) -> Tally {
    let mut position = BEGIN;
    let mut talk = Conversation::new(BEGIN, BEGIN);
    let direction = if masked { Direction::Request } else { Direction::Response };
    for (bytes, head, tail) in operations {
        let len = bytes.len() as u64;
        let (head, tail) = (&bytes[..*head], &bytes[bytes.len() - tail..]);
        let mut chunk = Chunk { at: Moment::default(), position, len, head, tail };
        shown(&mut chunk);
        talk.operation(direction, &chunk);
        position += len;
    }
    talk.tallies()[usize::from(!masked)]
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]
    #[test]
    fn cuts_change_nothing_and_masked_operations_tell_the_same(
        frames in frames(),
        masked in any::<bool>(),
        cuts in prop::collection::vec((0_usize..300, 0_usize..300, 0_usize..40), 0..20),
    ) {
        let bytes: Vec<u8> =
            frames.iter().flat_map(|(first, payload)| frame(*first, payload, masked)).collect();
        let whole = cut(&bytes, &[]);
        let known: Vec<_> = cuts.iter().map(|(len, ..)| (*len, *len, 0)).collect();
        let expected = play(masked, &whole, &mut |_| {});
        prop_assert_eq!(play(masked, &cut(&bytes, &known), &mut |_| {}), expected);
        let hidden = cut(&bytes, &cuts);
        let seen = play(masked, &hidden, &mut |_| {});
        prop_assert!(seen.inexact || seen.messages == expected.messages, "{seen:?} {expected:?}");
        // Masked, they tell the same.
        let direction = if masked { Direction::Request } else { Direction::Response };
        let mut mask = Mask(Conversation::new(BEGIN, BEGIN));
        let mut shown = Conversation::new(BEGIN, BEGIN);
        let mut blank_bytes = 0;
        play(masked, &hidden, &mut |chunk| {
            let blank = |bytes: &[u8]| vec![b'x'; bytes.len()];
            let (mut head, mut tail) = (blank(chunk.head), blank(chunk.tail));
            mask.operation(direction, chunk, &mut head, &mut tail);
            blank_bytes += head.iter().chain(&tail).filter(|byte| **byte == b'x').count();
            shown.operation(direction, &Chunk { head: &head, tail: &tail, ..*chunk });
        });
        prop_assert_eq!(shown.tallies()[usize::from(!masked)], seen);
        if !seen.inexact {
            let known: usize = hidden.iter().map(|(_, head, tail)| head + tail).sum();
            let headers = frames.len() * 16;
            prop_assert!(blank_bytes + headers >= known, "{blank_bytes} of {known} are blank");
        }
    }
}
