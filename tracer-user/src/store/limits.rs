//! What bounds the store.

use std::time::Duration;

/// How much is kept, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes on disk, of all segments together; at least [`MIN_BYTES`](Self::MIN_BYTES).
    pub bytes: u64,
    /// How long a span is kept after it came.
    pub age: Duration,
}

impl Limits {
    /// Fewer bytes hold no segments worth having.
    pub const MIN_BYTES: u64 = 16 << 20;

    /// A segment is the least that is deleted, so it is a small part of all.
    pub(super) fn segment_bytes(&self) -> u64 {
        (self.bytes / 32).clamp(1 << 20, 256 << 20)
    }

    /// The same in time.
    pub(super) fn segment_age(&self) -> Duration {
        self.age / 24
    }
}

impl Default for Limits {
    /// 1 GiB, a day.
    fn default() -> Self {
        Self { bytes: 1 << 30, age: Duration::from_secs(24 * 3600) }
    }
}
