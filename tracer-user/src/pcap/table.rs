//! The connections of a capture.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::conversation::{Context, Conversation};
use super::counts::Count;
use super::segment::{End, Segment};
use super::waiting::MAX_WAITING;

/// Bytes that wait for missing ones at most, over all connections.
const MAX_ALL_WAITING: usize = 16 * MAX_WAITING;

/// Connections by their two ends, the lower one first. One that is over stays until its place is
/// wanted, so that late repetitions are not taken for a new one.
pub(super) struct Table {
    open: LruCache<[End; 2], Conversation>,
    waiting: usize,
}

impl Table {
    pub(super) fn new(limit: NonZeroUsize) -> Self {
        Self { open: LruCache::new(limit), waiting: 0 }
    }

    /// Takes a segment.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, time: u64, context: &mut Context<'_>) {
        let (source, destination) = (segment.source, segment.destination);
        let from = usize::from(source > destination);
        let ends = if from == 0 { [source, destination] } else { [destination, source] };
        match self.open.get_mut(&ends) {
            Some(known) if known.is_succeeded_by(from, segment) => {
                self.waiting -= known.waiting();
                known.close(time, context);
                *known = Conversation::new(ends);
            }
            Some(_) => {}
            // Nothing can be made of it.
            None if !segment.syn && segment.len == 0 => return,
            None => self.make_room(ends, context),
        }
        let Some(known) = self.open.get_mut(&ends) else { return };
        let before = known.waiting();
        known.segment(from, segment, time, context);
        if self.waiting - before + known.waiting() > MAX_ALL_WAITING {
            known.flush(context);
        }
        self.waiting = self.waiting - before + known.waiting();
    }

    /// No more segments will come: hands on what waits, the connections that were silent longest
    /// first.
    pub(super) fn end(&mut self, context: &mut Context<'_>) {
        for (_, known) in self.open.iter_mut().rev() {
            known.flush(context);
        }
        self.waiting = 0;
    }

    /// Adds a connection in the place of the one that was silent longest, if there is no other.
    fn make_room(&mut self, ends: [End; 2], context: &mut Context<'_>) {
        if let Some((_, mut given_up)) = self.open.push(ends, Conversation::new(ends))
            && !given_up.is_closed()
        {
            context.counts.add(Count::Connections);
            self.waiting -= given_up.waiting();
            given_up.close(given_up.last(), context);
        }
    }
}
