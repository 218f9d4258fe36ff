//! The dynamic table (RFC 7541 section 2.3.2), of which a bystander may know only the newest
//! entries.

use std::collections::VecDeque;

use bytes::Bytes;

/// What an entry costs beside its name and value (RFC 7541 section 4.1), bytes.
const OVERHEAD: usize = 32;
/// The size with which every connection begins (RFC 9113 section 6.5.2), bytes.
const INITIAL: usize = 4096;
/// No more is kept, whatever the peers agree on: entries beyond are not known, bytes.
const MAX_KEPT: usize = 64 * 1024;

/// A field; `None` is what cannot be known.
pub(super) type Entry = (Option<Bytes>, Option<Bytes>);

/// The table of one direction.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The newest first, with their sizes.
    entries: VecDeque<(Entry, usize)>,
    size: usize,
    /// The encoder's limit, as far as it is known.
    limit: usize,
    /// There are no older entries than these.
    whole: bool,
}

impl Table {
    /// `whole`: the stream is known from its beginning, so that the table is empty.
    pub(super) fn new(whole: bool) -> Self {
        Self { entries: VecDeque::new(), size: 0, limit: INITIAL, whole }
    }

    /// The table's limit before any update, where that is not the protocol's.
    #[cfg(test)]
    pub(super) fn begin_with(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The encoder says that it keeps to this size from now on.
    pub(super) fn resize(&mut self, limit: usize) {
        self.limit = limit;
        self.evict();
        // What it has evicted is all that was not known.
        self.whole |= limit == 0;
    }

    /// The encoder adds an entry of `size` bytes, name and value together; `None` if that is not
    /// known.
    pub(super) fn add(&mut self, entry: Entry, size: Option<usize>) {
        let Some(size) = size.map(|size| size + OVERHEAD) else {
            // Its place is known and nothing else; how many older ones it evicts is not.
            self.entries.push_front((entry, OVERHEAD));
            self.size += OVERHEAD;
            self.whole = false;
            return self.evict();
        };
        if size > self.limit {
            // It is no entry then, and evicts all others. Where the limit is not known for sure, it
            // may be one.
            self.entries.clear();
            self.size = 0;
            return;
        }
        self.entries.push_front((entry, size));
        self.size += size;
        self.evict();
    }

    /// The entry with this index, counted from 0.
    pub(super) fn get(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index).map(|(entry, _)| entry)
    }

    /// There are no other entries than those that [`Table::get`] gives.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Bytes were lost that may have changed the table: what it holds is not known any more.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
        self.size = 0;
        self.whole = false;
    }

    fn evict(&mut self) {
        // What a peer evicts it does not refer to any more, so keeping it for longer does no harm,
        // and what is not known may be larger than it seems.
        let limit = self.limit.min(MAX_KEPT);
        while self.size > limit
            && let Some((_, size)) = self.entries.pop_back()
        {
            self.size -= size;
            self.whole &= self.limit <= MAX_KEPT;
        }
    }
}
