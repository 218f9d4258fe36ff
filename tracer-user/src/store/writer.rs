//! The thread that writes. Spans are first put at the tail of a file, once a period, so that not more
//! than a period's are lost when the process is killed; when they are enough for a block, they become
//! one and leave the tail, in one change.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::block::{self, Block};
use super::counters::{Counters, Loss};
use super::error::Damage;
use super::queue::Queue;
use super::segment::Change;
use super::shelf::{Shelf, block_ref};
use super::state::State;
use crate::export::weigh;
use crate::trace::Span;

/// How long spans are in memory alone.
const PERIOD: Duration = Duration::from_millis(400);
/// How long nothing is tried after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How often limits are looked at when nothing comes.
const IDLE: Duration = Duration::from_secs(30);
/// Spans that are taken at once.
const BATCH: usize = 2 * block::FULL;
/// Bytes in memory of a block's spans, about, after which it is full; as many are taken at once, too.
const BYTES: usize = 24 << 20;

/// What the thread works with.
pub(super) struct Writer {
    pub(super) shelf: Shelf,
    pub(super) state: Arc<State>,
    pub(super) queue: Arc<Queue>,
    pub(super) counters: Arc<Counters>,
    /// Spans of a block.
    full: usize,
    /// Of the open spans, those that are in the tail.
    saved: usize,
    /// Of all open spans in memory, about.
    bytes: usize,
    /// When the first that is not came.
    since: Option<Instant>,
    /// Not before, after a failure.
    again: Option<Instant>,
}

impl Writer {
    /// The open spans that are there are those of the tail.
    pub(super) fn new(
        shelf: Shelf,
        state: Arc<State>,
        queue: Arc<Queue>,
        counters: Arc<Counters>,
        full: usize,
    ) -> Self {
        counters.takes(shelf.used());
        let open = state.view().open;
        let (saved, bytes) = (open.len(), open.iter().map(|span| weigh(span)).sum());
        Self { shelf, state, queue, counters, full, saved, bytes, since: None, again: None }
    }

    /// Until the queue is closed.
    pub(super) fn run(mut self) {
        loop {
            let deadline = match (self.since, self.again) {
                (Some(since), again) => again.unwrap_or(since + PERIOD),
                (None, _) => Instant::now() + IDLE,
            };
            let work = self.queue.take(BATCH, BYTES, Some(deadline));
            self.take(work.spans);
            let asked = work.flush.is_some() || work.closed;
            if asked || self.is_due(Instant::now()) {
                self.write();
            }
            if let Some(flush) = work.flush {
                self.queue.flushed(flush);
            }
            if work.closed {
                let lost = self.state.view().open.len() - self.saved;
                self.counters.lost(Loss::WriteFailed, lost as u64);
                return;
            }
        }
    }

    fn take(&mut self, spans: Vec<Arc<Span>>) {
        if spans.is_empty() {
            return;
        }
        let open = self.state.view().open.len();
        if open + spans.len() > block::MOST || self.bytes > 2 * BYTES {
            // What is there could not be written.
            self.counters.lost(Loss::WriteFailed, spans.len() as u64);
            return;
        }
        self.bytes += spans.iter().map(|span| weigh(span)).sum::<usize>();
        self.state.change(|_, open| open.extend(spans));
        self.since.get_or_insert_with(Instant::now);
    }

    fn is_due(&self, now: Instant) -> bool {
        if self.again.is_some_and(|again| now < again) {
            return false;
        }
        match self.since {
            Some(since) => {
                let open = self.state.view().open.len();
                open >= self.full || self.bytes >= BYTES || now >= since + PERIOD
            }
            None => true,
        }
    }

    fn write(&mut self) {
        match self.try_write() {
            Ok(()) => self.again = None,
            Err(damage) => {
                self.counters.trouble(format!("cannot write: {damage}"));
                self.shelf.fail();
                self.again = Some(Instant::now() + PAUSE);
            }
        }
        self.counters.takes(self.shelf.used());
    }

    fn try_write(&mut self) -> Result<(), Damage> {
        self.saved = self.shelf.mend(self.saved)?;
        if !self.shelf.make_room(0) {
            self.tail_is_gone();
        }
        let last = self.shelf.is_full();
        let mut spans = self.state.view().open;
        if spans.len() == self.saved && !last {
            self.since = None;
            return Ok(());
        }
        let (mut change, mut sealed) = self.prepare(&spans, last);
        if !self.shelf.make_room(change.bytes()) {
            self.tail_is_gone();
            spans = self.state.view().open;
            (change, sealed) = self.prepare(&spans, false);
        }
        let segment = self.shelf.current()?;
        segment.change(&change)?;
        let heads = change.blocks.iter().map(|(number, block)| (*number, &block.head));
        let refs: Vec<_> = heads.map(|(n, head)| block_ref(&segment, n, head)).collect();
        self.shelf.next_block += refs.len() as u64;
        self.shelf.next_tail += 1;
        self.counters.stored((spans.len() - self.saved) as u64);
        self.saved = spans.len() - sealed;
        self.bytes = spans.iter().skip(sealed).map(|span| weigh(span)).sum();
        self.since = None;
        drop(spans);
        self.state.change(|blocks, open| {
            blocks.extend(refs);
            open.drain(..sealed);
        });
        if last {
            self.shelf.close_current();
        }
        Ok(())
    }

    /// What is to be written, and how many of the spans are then in blocks. `last`: all of them.
    fn prepare(&self, spans: &[Arc<Span>], last: bool) -> (Change, usize) {
        let mut change = Change::default();
        let mut sealed = 0;
        let (mut count, mut bytes) = (0, 0);
        for (n, span) in (1..).zip(spans) {
            (count, bytes) = (count + 1, bytes + weigh(span));
            let is_full = count >= self.full || bytes >= BYTES || (last && n == spans.len());
            if let (true, Some(chunk)) = (is_full, spans.get(sealed..n)) {
                let number = self.shelf.next_block + change.blocks.len() as u64;
                change.blocks.push((number, Block::of(chunk)));
                (sealed, count, bytes) = (n, 0, 0);
            }
        }
        change.without_tail = sealed > 0;
        let saved = if sealed > 0 { sealed } else { self.saved };
        if let Some(new @ [_, ..]) = spans.get(saved..) {
            change.tail = Some((self.shelf.next_tail, block::rows(new)));
        }
        (change, sealed)
    }

    /// It went with its file: it was too old, or the limit is too small for it.
    fn tail_is_gone(&mut self) {
        let gone = std::mem::take(&mut self.saved);
        self.counters.removed(gone as u64);
        self.state.change(|_, open| drop(open.drain(..gone)));
    }
}
