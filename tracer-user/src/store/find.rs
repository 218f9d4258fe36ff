//! Searches. Blocks are looked through from the newest to the oldest until enough traces are found;
//! then the found traces' other spans are looked for in the blocks of about the same time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::{HashMap as FastMap, HashSet as FastSet};

use super::block::{self, Columns, Filter, Head, Index, Part, Stored, filter, unpack, unseal};
use super::counters::{Counters, Loss};
use super::error::Damage;
use super::found::{Findings, Found, Sum};
use super::query::Query;
use super::segment::{Reading, Segment};
use super::state::{BlockRef, View};
use crate::trace::TraceId;

/// How far apart, in nanoseconds, the starts of a trace's spans are believed to be at most. Only the
/// short form of a trace rests on it.
pub(super) const LONGEST: u64 = 600_000_000_000;
/// A search that takes longer ends with what it has.
const PATIENCE: Duration = Duration::from_secs(10);

/// The blocks at one moment, read as they are needed.
pub(super) struct Library {
    pub(super) view: View,
    readings: HashMap<*const Segment, Reading>,
    counters: Arc<Counters>,
}

impl Library {
    pub(super) fn new(view: View, counters: Arc<Counters>) -> Self {
        Self { view, readings: HashMap::new(), counters }
    }

    /// Lets go of the files until one is read again; a state of them that is held can't be reused.
    pub(super) fn rest(&mut self) {
        self.readings.clear();
    }

    /// A part of a block, decoded. `None` if it can't be read, which is counted, or is gone.
    pub(super) fn part<T>(
        &mut self,
        block: &BlockRef,
        part: Part,
        decode: impl FnOnce(&[u8]) -> Result<T, Damage>,
    ) -> Option<T> {
        let key = Arc::as_ptr(&block.segment);
        let reading = match self.readings.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(new) => {
                block.segment.read().map(|reading| new.insert(reading))
            }
        };
        let value = reading.and_then(|reading| reading.get(part, block.number));
        match value.and_then(|bytes| decode(&bytes)) {
            Ok(value) => Some(value),
            Err(damage) => {
                self.counters.lost(Loss::Unreadable, 1);
                let path = block.segment.path().display();
                self.counters.trouble(format!("{path}: block {}: {damage}", block.number));
                None
            }
        }
    }

    pub(super) fn head(&mut self, block: &BlockRef) -> Option<Head> {
        self.part(block, Part::Head, unseal)
    }

    pub(super) fn columns(&mut self, block: &BlockRef) -> Option<Columns> {
        self.part(block, Part::Columns, unseal)
    }

    pub(super) fn rows(&mut self, block: &BlockRef) -> Option<Stored> {
        self.part(block, Part::Rows, unpack)
    }

    pub(super) fn traces(&mut self, block: &BlockRef) -> Option<Filter> {
        self.part(block, Part::Traces, Filter::unseal)
    }

    /// Whether a block may have all of these words and attributes.
    fn may_have(&mut self, block: &BlockRef, hashes: &[u64]) -> bool {
        let mut words = || self.part(block, Part::Words, Filter::unseal);
        let all = |words: Filter| hashes.iter().all(|hash| words.may_have(*hash));
        hashes.is_empty() || words().is_none_or(all)
    }

    /// The traces that fit, with the start of their first span in this block, if any does.
    fn look(&mut self, block: &BlockRef, query: &Query, hashes: &[u64]) -> Vec<(TraceId, u64)> {
        // The smaller one first, unless it can't tell anything.
        if query.is_of_any_group() && !self.may_have(block, hashes) {
            return vec![];
        }
        let Some(head) = self.head(block) else { return vec![] };
        let Some(groups) = query.groups(&head) else { return vec![] };
        if !query.is_of_any_group() && !self.may_have(block, hashes) {
            return vec![];
        }
        let Some(columns) = self.columns(block) else { return vec![] };
        let index = Index { head, columns };
        let found = looked(&index, query, &groups);
        if !query.needs_spans() || found.is_empty() {
            return found;
        }
        let Some(rows) = self.rows(block) else { return vec![] };
        let spans = rows.fitting(query).unwrap_or_default();
        let fitting: FastSet<TraceId> = spans.iter().map(|span| span.trace_id).collect();
        found.into_iter().filter(|(id, _)| fitting.contains(id)).collect()
    }

    /// As [`Query`] says.
    pub(super) fn find(&mut self, query: &Query) -> Findings {
        let begun = Instant::now();
        let hashes = query.hashes();
        let open = block::index(&self.view.open);
        let mut candidates: FastMap<TraceId, u64> = FastMap::default();
        if let Some(groups) = query.groups(&open.head) {
            let mut found = looked(&open, query, &groups);
            if query.needs_spans() {
                let fitting = self.view.open.iter().filter(|span| query.fits_span(span));
                let fitting: FastSet<TraceId> = fitting.map(|span| span.trace_id).collect();
                found.retain(|(id, _)| fitting.contains(id));
            }
            candidates.extend(found);
            candidates.retain(|_, start| query.started().contains(start));
        }
        let mut blocks: Vec<BlockRef> = self.view.blocks.to_vec();
        let started = query.started();
        blocks.retain(|block| block.last >= *started.start() && block.first <= *started.end());
        blocks.sort_by_key(|block| block.last);
        let mut complete = true;
        let mut traces: Vec<Found>;
        loop {
            while let Some(block) = blocks.pop_if(|block| !enough(&candidates, query, block.last)) {
                for (id, start) in self.look(&block, query, &hashes) {
                    let known = candidates.entry(id).or_insert(start);
                    *known = start.min(*known);
                }
                candidates.retain(|_, start| query.started().contains(start));
                if begun.elapsed() > PATIENCE {
                    complete = blocks.is_empty();
                    blocks.clear();
                }
            }
            let looked_at = newest(&candidates, query.limit);
            traces = self.sums(&looked_at, &open);
            traces.retain(|found| query.started().contains(&found.start));
            if blocks.is_empty() || traces.len() >= query.limit {
                break;
            }
            // Some begin sooner than they seemed to, in another block, and so make room for others.
            let kept: FastSet<TraceId> = traces.iter().map(|found| found.trace_id).collect();
            candidates.retain(|id, _| kept.contains(id) || !looked_at.contains_key(id));
        }
        traces.sort_by_key(|found| (std::cmp::Reverse(found.start), found.trace_id));
        traces.truncate(query.limit);
        Findings { traces, complete }
    }

    /// The short forms of traces whose first known spans start then.
    fn sums(&mut self, wanted: &FastMap<TraceId, u64>, open: &Index) -> Vec<Found> {
        let mut sums: FastMap<TraceId, Sum> =
            wanted.keys().map(|id| (*id, Sum::default())).collect();
        let (Some(first), Some(last)) = (wanted.values().min(), wanted.values().max()) else {
            return vec![];
        };
        let (first, last) = (first.saturating_sub(LONGEST), last.saturating_add(LONGEST));
        let hashes: Vec<u64> = wanted.keys().map(|id| filter::of_trace(*id)).collect();
        let blocks = self.view.blocks.clone();
        for block in blocks.iter().filter(|block| block.last >= first && block.first <= last) {
            let Some(traces) = self.traces(block) else { continue };
            if !hashes.iter().any(|hash| traces.may_have(*hash)) {
                continue;
            }
            let (head, columns) = (self.head(block), self.columns(block));
            if let (Some(head), Some(columns)) = (head, columns) {
                add(&Index { head, columns }, &mut sums);
            }
        }
        add(open, &mut sums);
        sums.into_iter().map(|(id, sum)| sum.found(id)).collect()
    }
}

/// Adds a block's spans to the sums of their traces.
fn add(index: &Index, sums: &mut FastMap<TraceId, Sum>) {
    for (id, cells) in index.columns.traces(index.head.first).into_iter().flatten() {
        if let Some(sum) = sums.get_mut(&id) {
            cells.for_each(|cell| sum.add(&index.head, &cell));
        }
    }
}

fn looked(index: &Index, query: &Query, groups: &[bool]) -> Vec<(TraceId, u64)> {
    let traces = index.columns.traces(index.head.first).into_iter().flatten();
    let fitting = traces.filter_map(|(id, cells)| {
        let start = cells.clone().map(|cell| cell.start).min()?;
        cells.clone().any(|cell| query.fits(groups, &cell)).then_some((id, start))
    });
    fitting.collect()
}

/// Whether the newest candidates can't be replaced by a trace of blocks whose spans start by `last`.
fn enough(candidates: &FastMap<TraceId, u64>, query: &Query, last: u64) -> bool {
    candidates.values().filter(|start| **start >= last).count() >= query.limit
}

fn newest(candidates: &FastMap<TraceId, u64>, limit: usize) -> FastMap<TraceId, u64> {
    let mut all: Vec<(TraceId, u64)> = candidates.iter().map(|(id, at)| (*id, *at)).collect();
    all.sort_by_key(|(id, start)| (std::cmp::Reverse(*start), *id));
    all.truncate(limit);
    all.into_iter().collect()
}
