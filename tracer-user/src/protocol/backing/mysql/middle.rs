//! Connections that are met in the middle.

use super::command;
use super::packet::{Close, HEADER, Header, close, header, is_greeting, lenenc};
use crate::protocol::http1::Direction;

/// The longest packet that is believed in without any other ahead of it.
const MAX_PLAUSIBLE: u32 = 1 << 24;

/// Bytes of the last packet of an answer, at most.
const MAX_LAST: usize = 600;

/// Packets that are looked at.
const ENOUGH: usize = 4;

/// Whether packets begin with these bytes.
pub(super) fn begins(of: Direction, bytes: &[u8]) -> bool {
    match of {
        Direction::Request => begins_request(bytes),
        Direction::Response => begins_response(bytes),
    }
}

/// The first packet and what follows.
fn first(bytes: &[u8]) -> Option<(Header, &[u8], &[u8])> {
    let (header, rest) = (header(bytes)?, bytes.get(HEADER..)?);
    let length = usize::try_from(header.length).ok()?;
    let (content, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some((header, content, behind))
}

fn begins_request(mut bytes: &[u8]) -> bool {
    for count in 0..ENOUGH {
        let Some((header, content, behind)) = first(bytes) else { return count > 0 };
        if !is_command(header, content) {
            return false;
        }
        if behind.is_empty() {
            return true;
        }
        bytes = behind;
    }
    true
}

fn is_command(header: Header, content: &[u8]) -> bool {
    let Some((&command, content)) = content.split_first() else { return false };
    let (fewest, most) = command::lengths(command);
    if header.sequence != 0
        || header.length > MAX_PLAUSIBLE
        || !(fewest..=most).contains(&header.length)
        || command::name(command).is_none()
    {
        return false;
    }
    match command {
        command::QUERY => command::statement(content).is_some_and(is_text),
        command::PREPARE | command::INIT_DB => is_text(content),
        // Once, and no flags but those there are.
        command::EXECUTE => matches!(content, [_, _, _, _, 0..=0x0f, 1, 0, 0, 0, ..]),
        _ => true,
    }
}

/// Whether it may be a statement or a name.
fn is_text(bytes: &[u8]) -> bool {
    let plain = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    !bytes.is_empty() && bytes.iter().take(32).all(plain)
}

fn begins_response(mut bytes: &[u8]) -> bool {
    let mut expected = None;
    for count in 0..ENOUGH {
        let Some((header, content, behind)) = first(bytes) else { return count > 1 };
        if count == 0 && is_greeting(header, content) {
            return behind.is_empty();
        }
        if expected.is_some_and(|expected| expected != header.sequence) || header.length == 0 {
            return false;
        }
        if header.sequence == 0 && expected.is_none() {
            return false;
        }
        if behind.is_empty() {
            let ends = match close(content, header.length) {
                Some(Close::Done { .. }) => is_end(header, content).is_some(),
                Some(Close::Failed(_)) => is_error(content),
                None => false,
            };
            return ends || count > 1 || is_count(header, content);
        }
        expected = Some(header.sequence.wrapping_add(1));
        bytes = behind;
    }
    true
}

/// Whether a result begins with it, and its columns are not known yet.
fn is_count(header: Header, content: &[u8]) -> bool {
    let count = lenenc(content).filter(|(_, rest)| rest.is_empty());
    header.sequence == 1 && header.length <= 3 && count.is_some_and(|(count, _)| count > 0)
}

/// Whether an answer is likely to begin with this packet: by its number, unless it is of the 257th one.
pub(super) fn is_first(header: Header, content: &[u8]) -> bool {
    let prepared = || header.length == 12 && matches!(content, [0, _, _, _, _, _, _, _, _, 0, ..]);
    let whole = || is_end(header, content).is_some() || is_error(content);
    header.sequence == 1 && (is_count(header, content) || whole() || prepared())
}

/// Whether it is an `ERR` with its code and state.
fn is_error(content: &[u8]) -> bool {
    match content {
        [0xff, low, high, b'#', state @ ..] => {
            (1000..5000).contains(&u16::from_le_bytes([*low, *high]))
                && state.iter().take(5).all(u8::is_ascii_alphanumeric)
        }
        _ => false,
    }
}

/// Whether it is an `OK`, or an `EOF`, with no more than there may be in it.
fn is_end(header: Header, content: &[u8]) -> Option<Close> {
    let closing = close(content, header.length)?;
    let (affected, rest) = lenenc(content.get(1..)?)?;
    let fits = match content.first()? {
        0xfe if header.length == 5 => true,
        0xfe => affected == 0 && lenenc(rest)?.0 == 0,
        0x00 => affected < 1 << 40 && lenenc(rest)?.1.len() >= 4,
        _ => false,
    };
    fits.then_some(closing)
}

/// If the last packet of an answer is the last of these bytes, how it came out.
pub(super) fn end(tail: &[u8]) -> Option<Close> {
    (HEADER + 5..=tail.len().min(MAX_LAST)).find_map(|length| {
        let (_, last) = tail.split_at_checked(tail.len() - length)?;
        let (header, content) = (header(last)?, last.get(HEADER..)?);
        if usize::try_from(header.length) != Ok(content.len()) || header.sequence == 0 {
            return None;
        }
        match content.first()? {
            0xfe => is_end(header, content),
            0xff if is_error(content) => close(content, header.length),
            _ => None,
        }
    })
}
