//! What a DATA frame carries beside padding (RFC 9113 section 6.1).

use super::frame::{Frame, PADDED};

/// How far a frame's payload has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Content {
    /// Bytes of the payload that have come.
    come: u64,
    /// Of a frame with padding, how long that is, once it is known.
    padding: u64,
}

impl Content {
    /// Takes the next bytes of the payload, or how many of them are not known. Of these, where the
    /// content begins, and how many bytes it has.
    pub(super) fn take(&mut self, frame: Frame, bytes: Result<&[u8], u64>) -> (usize, u64) {
        let count = bytes.map_or_else(|unseen| unseen, |bytes| bytes.len() as u64);
        let before = self.come;
        self.come = before.saturating_add(count);
        if !frame.has(PADDED) {
            return (0, count);
        }
        if before == 0 {
            let length = bytes.ok().and_then(|bytes| bytes.first());
            self.padding = length.map_or(0, |length| u64::from(*length));
        }
        let end = u64::from(frame.length).saturating_sub(self.padding);
        (usize::from(before == 0), self.come.min(end).saturating_sub(before.max(1)))
    }
}
