//! Connections that are met in the middle.

use super::super::{Failure, Split};
use super::message::{HEADER, be_u32, failure, rows, split, startup, string};
use crate::protocol::http1::Direction;

/// Longest message that is believed in without any other ahead of it.
const MAX_PLAUSIBLE: u64 = 1 << 26;

/// Messages that are looked at.
const ENOUGH: usize = 4;

/// Whether messages begin with these bytes.
pub(super) fn begins(of: Direction, mut bytes: &[u8]) -> bool {
    for count in 0..ENOUGH {
        let Split::Message { length, .. } = split(of, bytes, false) else {
            return count > 0 && split(of, bytes, false) == Split::More;
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length as u64 > MAX_PLAUSIBLE || !is_plausible(of, bytes.get(..length).unwrap_or(bytes))
        {
            return false;
        }
        bytes = match bytes.get(length..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => return true,
        };
    }
    true
}

/// Whether what is known of a message is as such are.
fn is_plausible(of: Direction, message: &[u8]) -> bool {
    let (Some(kind), content) = (message.first(), message.get(HEADER..).unwrap_or_default()) else {
        return false;
    };
    match (of, kind) {
        (Direction::Request, 0) => startup(message).is_some(),
        // Who asks for a password is known to be no bystander's business.
        (Direction::Request, b'p') => false,
        (Direction::Request, b'Q' | b'E' | b'f') => is_text(content),
        (Direction::Request, b'P' | b'B') => is_text(content) && is_text(string(content).1),
        (Direction::Request, b'D' | b'C') => {
            matches!(content.first(), Some(b'S' | b'P')) && is_text(content)
        }
        (Direction::Response, b'Z') => matches!(content, [b'I' | b'T' | b'E']),
        (Direction::Response, b'C') => {
            content.first().is_some_and(u8::is_ascii_uppercase) && is_text(content)
        }
        (Direction::Response, b'E' | b'N') => content.first() == Some(&b'S') && is_text(content),
        (Direction::Response, b'S') => is_text(content),
        (Direction::Response, b'D' | b'T' | b't') => {
            let fewest = match kind {
                b'D' => 4,
                b'T' => 19,
                _ => 4,
            };
            // As many fields as have room.
            content.first_chunk().is_some_and(|count| {
                let count = u64::from(u16::from_be_bytes(*count));
                let room = message.get(1..).and_then(be_u32).map_or(0, u64::from);
                count <= 1664 && 6 + count * fewest <= room
            })
        }
        _ => true,
    }
}

/// Whether a string is one, as far as it is known: no character controls anything but lines.
fn is_text(content: &[u8]) -> bool {
    let (text, ..) = string(content);
    text.iter().take(64).all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace())
}

/// What the end of answers shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    pub(super) failure: Option<Failure>,
    pub(super) rows: Option<u64>,
}

/// If `ReadyForQuery` is the last of these bytes, what is said right before.
pub(super) fn end(tail: &[u8]) -> Option<End> {
    let (rest, [b'Z', 0, 0, 0, 5, b'I' | b'T' | b'E']) = tail.split_last_chunk()? else {
        return None;
    };
    let whole = |start: &usize| {
        let length = rest.get(start + 1..).and_then(be_u32).and_then(|n| usize::try_from(n).ok());
        length.and_then(|length| length.checked_add(start + 1)) == Some(rest.len())
    };
    let before = (0..rest.len().saturating_sub(HEADER)).rev().find(|start| {
        matches!(rest.get(*start), Some(b'C' | b'E'))
            && whole(start)
            && is_plausible(Direction::Response, rest.get(*start..).unwrap_or_default())
    });
    let message = before.and_then(|start| rest.get(start..)).unwrap_or_default();
    Some(match message.first() {
        Some(b'E') => End { failure: Some(failure(message)), rows: None },
        Some(_) => End { failure: None, rows: rows(message) },
        None => End::default(),
    })
}
