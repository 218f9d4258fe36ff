//! A header block while its frames come in (RFC 9113 section 4.3).

use super::event::Fault;
use super::frame::{END_HEADERS, END_STREAM, Frame, PADDED, PUSH_PROMISE, before_block};
use crate::connection::Moment;

/// A block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    /// It is a request that the server promises to itself: nobody sends it.
    pub(super) promised: bool,
    pub(super) ends_stream: bool,
    /// All its frames have begun.
    last: bool,
    /// The operation with its first byte.
    pub(super) at: Moment,
    /// What came before the frame under way, and its payload.
    bytes: Vec<u8>,
    payload: Vec<u8>,
    padded: bool,
    /// Bytes of the payload before the block's, behind the length of the padding.
    fixed: usize,
    /// What is wrong with it.
    pub(super) fault: Option<Fault>,
}

impl Block {
    /// Begins with this frame, which is HEADERS or PUSH_PROMISE.
    pub(super) fn new(frame: Frame, at: Moment) -> Self {
        let promised = frame.kind == PUSH_PROMISE;
        Self {
            stream: frame.stream,
            promised,
            ends_stream: !promised && frame.has(END_STREAM),
            last: frame.has(END_HEADERS),
            at,
            bytes: vec![],
            payload: vec![],
            padded: frame.has(PADDED),
            fixed: before_block(frame),
            fault: None,
        }
    }

    /// Goes on with this frame, which is CONTINUATION.
    pub(super) fn go_on(&mut self, frame: Frame) {
        self.last = frame.has(END_HEADERS);
    }

    /// Bytes of the payload of the frame under way. `limit`: bytes of the whole block.
    pub(super) fn feed(&mut self, bytes: &[u8], limit: usize) {
        if self.fault.is_some() {
            return;
        }
        // Padding and what precedes the block do not count for the limit, but are few.
        if self.bytes.len() + self.payload.len() + bytes.len() > limit + 256 + self.fixed {
            self.fault = Some(Fault::HeaderBlockTooLong);
        } else {
            self.payload.extend_from_slice(bytes);
        }
    }

    /// Bytes of it are not known.
    pub(super) fn unseen(&mut self) {
        self.fault.get_or_insert(Fault::HeaderBlockUnseen);
    }

    /// The frame under way is over; whether the block is.
    pub(super) fn frame_over(&mut self) -> bool {
        let mut payload = &self.payload[..];
        let mut padding = 0;
        if self.padded
            && let Some((length, rest)) = payload.split_first()
        {
            (padding, payload) = (usize::from(*length), rest);
        }
        // Of a payload that is not whole, the padding is what is missing first.
        if self.fault.is_none() {
            match payload.len().checked_sub(padding).and_then(|end| payload.get(self.fixed..end)) {
                Some(fragment) => self.bytes.extend_from_slice(fragment),
                None => self.fault = Some(Fault::HeaderBlock),
            }
        } else {
            self.bytes.extend_from_slice(payload.get(self.fixed..).unwrap_or_default());
        }
        self.payload.clear();
        (self.padded, self.fixed) = (false, 0);
        self.last
    }

    /// Bytes of it that are remembered.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.bytes.len() + self.payload.len()
    }

    /// The block, as far as it is known.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
