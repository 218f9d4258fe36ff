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

impl<'a> Chunk<'a> {
    /// What of it lies at this position and behind; `None` if nothing does.
    #[must_use]
    pub fn from(&self, position: u64) -> Option<Chunk<'a>> {
        let skip = position.saturating_sub(self.position);
        let len = self.len.checked_sub(skip).filter(|len| *len > 0)?;
        let head = usize::try_from(skip).ok().and_then(|skip| self.head.get(skip..));
        let tail = self.tail.get(self.tail.len().saturating_sub(len as usize)..);
        Some(Chunk {
            at: self.at,
            position: self.position.saturating_add(skip),
            len,
            head: head.unwrap_or_default(),
            tail: tail.unwrap_or_default(),
        })
    }
}
