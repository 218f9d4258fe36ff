//! Is it HTTP/2? Asked of connections that have not shown yet what they carry.

use super::block::Block;
use super::frame::{CONTINUATION, HEADER, HEADERS, PREFACE, SETTINGS, are_frames, parse};
use super::heads::Fields;
use super::hpack::Decoder;
use crate::connection::Moment;

/// What an operation's first bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The client's preface, or the beginning of it.
    Preface,
    /// Frames, with the head of a request.
    Request,
    /// Frames, with the head of a response.
    Response,
    /// Frames of which neither can be told, the first of them SETTINGS that acknowledge none: what a
    /// server begins with (RFC 9113 section 3.4).
    Settings,
    /// Others of which neither can be told.
    Frames,
}

/// Looks at an operation's first bytes; `None` if they are nothing of HTTP/2.
#[must_use]
pub fn sight(bytes: &[u8]) -> Option<Sight> {
    let common = bytes.len().min(PREFACE.len());
    // `PR` may begin PROPFIND as well.
    if common > 2 && bytes.get(..common) == PREFACE.get(..common) {
        return Some(Sight::Preface);
    }
    if !are_frames(bytes) {
        return None;
    }
    let mut rest = bytes;
    while let Some(frame) = parse(rest) {
        let payload = rest.get(HEADER..).unwrap_or_default();
        let length = frame.length as usize;
        if frame.kind == HEADERS {
            let mut block = Block::new(frame, Moment::default());
            block.feed(payload.get(..length).unwrap_or(payload), bytes.len());
            block.frame_over();
            let (fields, whole) = Decoder::new(false).decode(block.bytes(), 64);
            let cut = payload.len() < length;
            let next = parse(payload.get(length..).unwrap_or_default());
            let goes_on = next.is_some_and(|next| next.kind == CONTINUATION);
            if !whole && !cut && !goes_on {
                return None;
            }
            let fields = Fields(&fields);
            match (fields.is_request(), fields.is_response()) {
                (true, false) => return Some(Sight::Request),
                (false, true) => return Some(Sight::Response),
                _ => {}
            }
        }
        rest = payload.get(length..).unwrap_or_default();
    }
    let settings = parse(bytes).filter(|frame| frame.kind == SETTINGS && frame.flags == 0);
    Some(if settings.is_some() { Sight::Settings } else { Sight::Frames })
}
