//! Whole traces, one after another: many of them take no more memory than one does.

use std::collections::{HashSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;

use foldhash::HashMap as FastMap;

use super::block::{Stored, filter};
use super::find::Library;
use crate::export::weigh;
use crate::trace::{Span, TraceId};

/// Most bytes of one trace's spans, as they are weighed: some seven thousand of the usual ones.
const MOST: usize = 16 << 20;
/// Unpacked blocks that are kept: traces that began after one another mostly lie in the same two.
const BLOCKS: usize = 2;

/// A trace, as far as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans, sorted by start.
    pub spans: Vec<Arc<Span>>,
    /// Later ones that there are besides: of a trace that is too large to be told whole.
    pub left_out: u64,
}

/// Where a trace's spans are.
#[derive(Default)]
struct Place {
    /// By place among the view's blocks, with the spans that each has.
    blocks: Vec<(usize, u32)>,
    open: Vec<Arc<Span>>,
}

/// An iterator over whole traces, each read when its turn has come.
pub struct Whole {
    library: Library,
    places: VecDeque<(TraceId, Place)>,
    unpacked: VecDeque<(usize, Stored)>,
}

impl Whole {
    /// Of these ids, in blocks with spans that start in a range of nanoseconds since the Unix epoch.
    pub(super) fn new(mut library: Library, ids: &[TraceId], range: &RangeInclusive<u64>) -> Self {
        let mut places: FastMap<TraceId, Place> =
            ids.iter().map(|id| (*id, Place::default())).collect();
        for span in library.view.open.iter() {
            if let Some(place) = places.get_mut(&span.trace_id) {
                place.open.push(span.clone());
            }
        }
        let hashes: Vec<u64> = places.keys().map(|id| filter::of_trace(*id)).collect();
        for (number, block) in library.view.blocks.clone().iter().enumerate() {
            if block.last < *range.start() || block.first > *range.end() {
                continue;
            }
            let Some(traces) = library.traces(block) else { continue };
            if !hashes.iter().any(|hash| traces.may_have(*hash)) {
                continue;
            }
            let columns = library.columns(block);
            for (id, spans) in columns.iter().flat_map(|columns| columns.counts()) {
                if let Some(place) = places.get_mut(&id) {
                    place.blocks.push((number, spans));
                }
            }
        }
        let mut told = HashSet::new();
        let once = ids.iter().filter(|id| told.insert(**id));
        let places = once.filter_map(|id| Some((*id, places.remove(id)?)));
        let places = places.filter(|(_, place)| !place.blocks.is_empty() || !place.open.is_empty());
        Self { places: places.collect(), library, unpacked: VecDeque::new() }
    }

    /// Gives back what memory and files it can, for as long as nothing more is asked of it.
    pub fn rest(&mut self) {
        self.unpacked.clear();
        self.library.rest();
    }

    /// The spans of a trace in one block; none if it can't be read.
    fn read(&mut self, number: usize, id: TraceId) -> Vec<Arc<Span>> {
        if !self.unpacked.iter().any(|(known, _)| *known == number) {
            if self.unpacked.len() == BLOCKS {
                self.unpacked.pop_front();
            }
            let block = self.library.view.blocks.get(number).cloned();
            let rows = block.and_then(|block| self.library.rows(&block));
            self.unpacked.extend(rows.map(|rows| (number, rows)));
        }
        let rows = self.unpacked.iter().find(|(known, _)| *known == number);
        rows.and_then(|(_, rows)| rows.spans(|of| of == id).ok()).unwrap_or_default()
    }

    fn trace(&mut self, id: TraceId, place: Place) -> Trace {
        let total: u64 = place.blocks.iter().map(|(_, spans)| u64::from(*spans)).sum();
        let total = total + place.open.len() as u64;
        let (mut spans, mut bytes) = (vec![], 0);
        for (number, _) in place.blocks {
            let read = self.read(number, id);
            bytes += read.iter().map(|span| weigh(span)).sum::<usize>();
            spans.extend(read);
            if bytes > MOST {
                break;
            }
        }
        if bytes <= MOST {
            spans.extend(place.open);
        }
        spans.sort_by_key(|span| (span.start, span.end, span.span_id));
        let mut room = MOST;
        let fits = |span: &Arc<Span>| {
            let left = room.checked_sub(weigh(span));
            room = left.unwrap_or(0);
            left.is_some()
        };
        let fit = spans.iter().map(fits).take_while(|fits| *fits).count().max(1);
        spans.truncate(fit);
        Trace { id, left_out: total.saturating_sub(spans.len() as u64), spans }
    }
}

impl Iterator for Whole {
    type Item = Trace;

    fn next(&mut self) -> Option<Trace> {
        loop {
            let (id, place) = self.places.pop_front()?;
            let trace = self.trace(id, place);
            if !trace.spans.is_empty() {
                return Some(trace);
            }
        }
    }
}
