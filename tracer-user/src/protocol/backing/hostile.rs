//! Bytes that no dialect may be harmed by.

use super::testing::at;
use super::{Calls, Dialect, Found, Message, Split};
use crate::protocol::http1::Direction::{self, Request, Response};

/// As an engine does: the messages of these bytes, of which the last may not be all there, and what is
/// none of the protocol's is lost.
fn drive(dialect: &mut dyn Dialect, of: Direction, mut bytes: &[u8], found: &mut Vec<Found>) {
    let mut calls = Calls::new(found);
    while !bytes.is_empty() {
        dialect.begins(of, bytes);
        match dialect.split(of, bytes) {
            Split::More => return,
            Split::Invalid => {
                dialect.lost(of, at(2), &mut calls);
                dialect.ends(of, bytes, at(3), &mut calls);
                return;
            }
            Split::Message { length, want } => {
                assert!(length > 0 && want <= 1 << 16 && want as u64 <= length);
                let end = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
                let (message, rest) = bytes.split_at(end);
                let bytes_shown = message.get(..want).unwrap_or(message);
                let (first, last) = (at(1), at(2));
                let message = Message { bytes: bytes_shown, length, position: 0, first, last };
                dialect.message(of, &message, &mut calls);
                bytes = rest;
            }
        }
    }
}

/// Feeds random bytes, many of them out of `likely`, in both directions.
pub(super) fn batter(new: impl Fn() -> Box<dyn Dialect>, likely: &[u8]) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits")
    };
    for _ in 0..500 {
        let (mut dialect, mut found) = (new(), vec![]);
        for _ in 0..40 {
            let length = random() % 80;
            let bytes: Vec<u8> = std::iter::repeat_with(|| match random() % 4 {
                0 => random().to_le_bytes()[0],
                _ => likely[random() % likely.len()],
            })
            .take(length)
            .collect();
            let of = if random() % 2 == 0 { Request } else { Response };
            drive(&mut *dialect, of, &bytes, &mut found);
        }
        check(&found);
    }
}

/// Feeds a conversation whose operations are cut, each at every place, and with any byte changed.
pub(super) fn prefixes(new: impl Fn() -> Box<dyn Dialect>, script: &[(Direction, &[u8])]) {
    for (cut, (of, bytes)) in script.iter().enumerate() {
        for end in 0..bytes.len() {
            for change in [None, Some(0), Some(0xff), Some(b'9'), Some(0x7f), Some(1)] {
                let (mut dialect, mut found) = (new(), vec![]);
                for (of, bytes) in &script[..cut] {
                    drive(&mut *dialect, *of, bytes, &mut found);
                }
                let mut bytes = bytes.to_vec();
                match change {
                    None => bytes.truncate(end),
                    Some(to) => bytes[end] = to,
                }
                drive(&mut *dialect, *of, &bytes, &mut found);
                for (of, bytes) in &script[cut..] {
                    drive(&mut *dialect, *of, bytes, &mut found);
                }
                check(&found);
            }
        }
    }
}

/// Each call is started once, asked at most once, before it ends, and ended at most once.
fn check(found: &[Found]) {
    let mut calls = std::collections::HashMap::<u64, u8>::new();
    for each in found {
        match each {
            Found::Started { call, .. } => assert_eq!(calls.insert(*call, 1), None, "{found:?}"),
            Found::Asked { call, .. } => assert_eq!(calls.insert(*call, 2), Some(1), "{found:?}"),
            Found::Replied { call, .. } => {
                assert!(matches!(calls.get(call), Some(1 | 2)), "{found:?}")
            }
            Found::Ended { call, .. } => assert_eq!(calls.insert(*call, 3), Some(2), "{found:?}"),
            Found::Abandoned { call, .. } => {
                assert_eq!(calls.insert(*call, 3), Some(2), "{found:?}");
            }
            Found::Delivered { first, last, .. } => assert!(first.order <= last.order),
            Found::Malformed | Found::Full => {}
        }
    }
}
