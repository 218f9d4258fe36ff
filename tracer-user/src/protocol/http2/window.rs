//! The bytes of one operation that are still to be read.

use crate::connection::Chunk;

/// Bytes that lie together.
#[derive(Clone, Copy, Debug)]
pub(in crate::protocol) enum Run<'a> {
    /// These.
    Known(&'a [u8]),
    /// So many that were not copied, or moved in operations that were not seen.
    Unseen(u64),
}

/// What is missing before an operation, then its first bytes, what is hidden between, and its last.
#[derive(Clone, Debug)]
pub(in crate::protocol) struct Window<'a> {
    position: u64,
    missing: u64,
    head: &'a [u8],
    hidden: u64,
    tail: &'a [u8],
    /// Nothing of the operation has been read.
    fresh: bool,
}

impl<'a> Window<'a> {
    /// All of an operation that begins at `next` or behind: what is before that was read.
    pub(in crate::protocol) fn new(chunk: &Chunk<'a>, next: Option<u64>) -> Self {
        let known = (chunk.head.len() + chunk.tail.len()) as u64;
        let mut window = Self {
            position: chunk.position,
            missing: 0,
            head: chunk.head,
            hidden: chunk.len.saturating_sub(known),
            tail: chunk.tail,
            fresh: true,
        };
        let next = next.unwrap_or(chunk.position);
        if next > chunk.position {
            window.skip(next - chunk.position);
        } else {
            window.missing = chunk.position - next;
            window.position = next;
        }
        window
    }

    /// Bytes that moved unseen.
    pub(in crate::protocol) fn missing(position: u64, missing: u64) -> Self {
        Self { position, missing, head: &[], hidden: 0, tail: &[], fresh: false }
    }

    /// The stream's position of the next byte.
    pub(in crate::protocol) fn position(&self) -> u64 {
        self.position.saturating_add(self.missing)
    }

    /// Bytes that are known and still to be read.
    pub(super) fn known(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// The stream's position behind the last byte.
    pub(in crate::protocol) fn end(&self) -> u64 {
        let rest = (self.head.len() + self.tail.len()) as u64;
        self.position.saturating_add(self.missing).saturating_add(self.hidden).saturating_add(rest)
    }

    /// The operation's first byte comes next.
    pub(in crate::protocol) fn at_start(&self) -> bool {
        self.fresh && self.missing == 0
    }

    /// The next bytes; `None` behind the last one.
    pub(in crate::protocol) fn run(&self) -> Option<Run<'a>> {
        match (self.missing, self.head, self.hidden, self.tail) {
            (1.., ..) => Some(Run::Unseen(self.missing)),
            (0, [_, ..], ..) => Some(Run::Known(self.head)),
            (0, [], 1.., _) => Some(Run::Unseen(self.hidden)),
            (0, [], 0, [_, ..]) => Some(Run::Known(self.tail)),
            (0, [], 0, []) => None,
        }
    }

    /// Goes on by `bytes`.
    pub(in crate::protocol) fn skip(&mut self, mut bytes: u64) {
        self.position = self.position.saturating_add(bytes);
        self.fresh &= bytes == 0 || bytes <= self.missing;
        let taken = bytes.min(self.missing);
        self.missing -= taken;
        bytes -= taken;
        bytes = cut(&mut self.head, bytes);
        let taken = bytes.min(self.hidden);
        self.hidden -= taken;
        cut(&mut self.tail, bytes - taken);
    }

    /// Passes over the rest of the operation.
    pub(in crate::protocol) fn finish(&mut self) {
        self.skip(self.end() - self.position);
    }

    /// Goes to where an operation begins: this one, or else the next.
    pub(in crate::protocol) fn seek(&mut self) {
        if self.missing > 0 { self.skip(self.missing) } else { self.finish() }
    }
}

/// Cuts off as many first bytes as there are; how many are left to be.
fn cut(bytes: &mut &[u8], count: u64) -> u64 {
    let taken = usize::try_from(count).map_or(bytes.len(), |count| count.min(bytes.len()));
    *bytes = bytes.get(taken..).unwrap_or_default();
    count - taken as u64
}
