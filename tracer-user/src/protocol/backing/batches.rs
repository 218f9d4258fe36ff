//! Calls that a client sends in one go count as one: a pipeline, a batch.

use std::collections::HashMap;

use super::{Found, Outcome};
use crate::connection::Moment;

use super::engine::Event;

/// Calls for which room is kept.
const KEPT: usize = 64;

/// What one call to the outside is made of.
#[derive(Debug, Default)]
struct Batch {
    /// Calls that are not over.
    open: u32,
    /// When the last of them was, if others may follow in the same operation.
    over: Option<Moment>,
    replied: bool,
    outcome: Outcome,
    /// Not all of them were answered as far as could be seen.
    abandoned: bool,
}

/// The calls of one connection.
#[derive(Debug)]
pub(super) struct Batches {
    /// Calls that begin in one operation are one.
    join: bool,
    /// A dialect's call -> the first of its batch, which names it.
    of: HashMap<u64, u64>,
    batches: HashMap<u64, Batch>,
    /// The last one, and the operation that began it.
    last: Option<(u64, u64)>,
}

impl Batches {
    pub(super) fn new(join: bool) -> Self {
        Self { join, of: HashMap::new(), batches: HashMap::new(), last: None }
    }

    /// What comes of something that the dialect has found.
    pub(super) fn take(&mut self, found: Found, sink: &mut Vec<Event>) {
        match found {
            Found::Started { call, at, position } => self.start(call, at, position, sink),
            Found::Asked { call, asks } => {
                if let Some(&batch) = self.of.get(&call) {
                    sink.push(Event::Asked { call: batch, asks });
                }
            }
            Found::Replied { call, at } => {
                if let Some((call, batch)) = self.find(call)
                    && !std::mem::replace(&mut batch.replied, true)
                {
                    sink.push(Event::Replied { call, at });
                }
            }
            Found::Ended { call, at, outcome } => self.end(call, at, Some(outcome), sink),
            Found::Abandoned { call, at } => self.end(call, at, None, sink),
            Found::Delivered { position, first, last, asks } => {
                sink.push(Event::Delivered { position, first, last, asks });
            }
            Found::Malformed => sink.push(Event::Malformed),
            Found::Full => sink.push(Event::Full),
        }
    }

    fn find(&mut self, call: u64) -> Option<(u64, &mut Batch)> {
        let name = *self.of.get(&call)?;
        Some((name, self.batches.get_mut(&name)?))
    }

    fn start(&mut self, call: u64, at: Moment, position: u64, sink: &mut Vec<Event>) {
        let joins = self.last.filter(|(_, order)| self.join && *order == at.order);
        if let Some((name, _)) = joins
            && let Some(batch) = self.batches.get_mut(&name)
        {
            batch.open += 1;
            batch.over = None;
            self.of.insert(call, name);
            return;
        }
        self.of.insert(call, call);
        self.batches.insert(call, Batch { open: 1, ..Batch::default() });
        self.last = Some((call, at.order));
        sink.push(Event::Started { call, at, position });
    }

    fn end(&mut self, call: u64, at: Moment, outcome: Option<Outcome>, sink: &mut Vec<Event>) {
        let Some(name) = self.of.remove(&call) else { return };
        let Some(batch) = self.batches.get_mut(&name) else { return };
        batch.open = batch.open.saturating_sub(1);
        match outcome {
            Some(outcome) => add(&mut batch.outcome, outcome),
            None => batch.abandoned = true,
        }
        if batch.open > 0 {
            return;
        }
        if self.join && self.last == Some((name, at.order)) {
            batch.over = Some(at);
        } else {
            self.finish(name, at, sink);
        }
    }

    /// An operation is over, and with it the batch that began in it, if all of its calls are.
    pub(super) fn pause(&mut self, sink: &mut Vec<Event>) {
        if let Some((name, _)) = self.last
            && let Some(at) = self.batches.get(&name).and_then(|batch| batch.over)
        {
            self.finish(name, at, sink);
        }
    }

    fn finish(&mut self, name: u64, at: Moment, sink: &mut Vec<Event>) {
        let Some(Batch { outcome, abandoned, .. }) = self.batches.remove(&name) else { return };
        if self.batches.is_empty() {
            self.of.shrink_to(KEPT);
        }
        sink.push(Event::Ended { call: name, at, outcome, abandoned });
    }
}

/// The first thing that went wrong stands for all.
fn add(to: &mut Outcome, more: Outcome) {
    to.failure = to.failure.take().or(more.failure);
    to.rows = match (to.rows, more.rows) {
        (Some(rows), Some(more)) => Some(rows.saturating_add(more)),
        (rows, more) => rows.or(more),
    };
    to.bytes = to.bytes.saturating_add(more.bytes);
    if to.answers.is_empty() {
        to.answers = more.answers;
    }
    match (&mut to.log, more.log) {
        (Some(log), Some(more)) => log.join(*more),
        (log, more) => *log = log.take().or(more),
    }
}
