//! The prefixes of a gRPC stream's messages, which stay where the messages are masked.

use super::grpc::PREFIX;

/// What the contents of messages become.
pub(super) const BLANK: u8 = b'x';

/// One direction of a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes {
    /// Bytes of the message that are still to come.
    left: u64,
    /// The prefix so far.
    prefix: Vec<u8>,
    /// Nobody knows where a message begins.
    lost: bool,
}

impl Prefixes {
    /// Masks the next bytes.
    pub(super) fn mask(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() && !self.lost {
            if self.left > 0 {
                let taken =
                    usize::try_from(self.left).map_or(bytes.len(), |it| it.min(bytes.len()));
                let (message, rest) = bytes.split_at_mut(taken);
                message.fill(BLANK);
                self.left -= taken as u64;
                bytes = rest;
                continue;
            }
            let taken = (PREFIX - self.prefix.len()).min(bytes.len());
            let (prefix, rest) = bytes.split_at_mut(taken);
            self.prefix.extend_from_slice(prefix);
            bytes = rest;
            if let [_, a, b, c, d] = self.prefix[..] {
                self.left = u32::from_be_bytes([a, b, c, d]).into();
                self.prefix.clear();
            }
        }
        bytes.fill(BLANK);
    }

    /// Bytes come that are not known.
    pub(super) fn unseen(&mut self, count: u64) {
        self.lost |= count > self.left;
        self.left = self.left.saturating_sub(count);
    }
}
