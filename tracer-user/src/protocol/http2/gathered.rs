//! Where the parts of a header block are in the bytes at hand, while its frames come in.

use super::frame::{END_HEADERS, END_STREAM, Frame, PADDED, PUSH_PROMISE, before_block};
use super::reader::Reader;

/// A header block.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    pub(super) stream: u32,
    pub(super) promised: bool,
    pub(super) ends_stream: bool,
    /// All its frames have begun.
    pub(super) last: bool,
    /// No more of it can be read.
    pub(super) over: bool,
    /// First byte and end of each part, without padding and what precedes the block.
    pub(super) places: Vec<(usize, usize)>,
    /// Where its first payload begins, and how things were there; `None` if it cannot be gone back to.
    pub(super) begun: Option<(usize, Reader, Frame)>,
    /// Where the payload of the frame under way begins.
    at: usize,
    padded: bool,
    fixed: usize,
}

impl Gathered {
    /// Begins with this frame, whose payload begins at this byte.
    pub(super) fn new(frame: Frame, at: usize, begun: Option<(usize, Reader, Frame)>) -> Self {
        let promised = frame.kind == PUSH_PROMISE;
        Self {
            stream: frame.stream,
            promised,
            ends_stream: !promised && frame.has(END_STREAM),
            last: frame.has(END_HEADERS),
            over: false,
            places: vec![],
            begun,
            at,
            padded: frame.has(PADDED),
            fixed: before_block(frame),
        }
    }

    /// Goes on with a CONTINUATION, whose payload begins at this byte.
    pub(super) fn go_on(&mut self, frame: Frame, at: usize) {
        self.last = frame.has(END_HEADERS);
        (self.at, self.padded, self.fixed) = (at, false, 0);
    }

    /// The frame under way is over at this byte: its padding is blanked.
    pub(super) fn frame_over(&mut self, end: usize, bytes: &mut [u8]) {
        let length = bytes.get(self.at).copied().map_or(0, usize::from);
        let padding = if self.padded { length } else { 0 };
        let from = self.at + self.fixed + usize::from(self.padded);
        let to = end.saturating_sub(padding).max(from.min(end));
        if let Some(padding) = bytes.get_mut(to..end) {
            padding.fill(0);
        }
        self.places.push((from.min(to), to));
    }

    /// The same, where only this much of it is known; nothing tells what of it is padding.
    pub(super) fn cut(&mut self, end: usize) {
        let from = self.at + self.fixed + usize::from(self.padded);
        self.places.push((from.min(end), end));
    }

    /// Some of it is in the bytes at hand, and was not masked.
    pub(super) fn is_at_hand(&self) -> bool {
        !self.over
    }

    /// It is none, after all, as far as it goes up to this byte.
    pub(super) fn blank(&self, bytes: &mut [u8], until: usize) {
        let at = self.begun.as_ref().map_or(self.at, |(at, ..)| *at);
        if !self.over
            && let Some(rest) = bytes.get_mut(at..until)
        {
            rest.fill(0);
        }
    }
}
