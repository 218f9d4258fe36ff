//! The values that every later stage is driven by.

pub use tracer_common::record::Flow;

/// A socket's cookie: names one side of one connection until the next boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cookie(pub u64);

/// When, by whom, and in which order something was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds of `CLOCK_BOOTTIME`.
    pub time: u64,
    /// Process.
    pub pid: u32,
    /// Thread.
    pub tid: u32,
    /// Number of the event that it came from, counted from the tracer's start: a total order.
    pub order: u64,
    /// Which of the flows of execution that share the thread.
    pub flow: Flow,
}

/// One operation's part of one direction of a connection: `len` bytes from stream position
/// `position` on, of which the first `head.len()` and the last `tail.len()` are known.
/// `head.len() + tail.len() <= len`.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The operation that moved the bytes.
    pub at: Moment,
    /// Bytes of this direction before this operation.
    pub position: u64,
    /// Bytes that the operation moved.
    pub len: u64,
    /// Its first bytes.
    pub head: &'a [u8],
    /// Its last bytes.
    pub tail: &'a [u8],
}
