//! What of each span a search looks at, apart from its attributes.

use serde::{Deserialize, Serialize};

use crate::store::error::Damage;
use crate::trace::{Span, TraceId};

/// The spans of a block in the order of its rows: by trace, then by start.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct Columns {
    /// Each trace, and how many spans it has here.
    traces: Vec<(TraceId, u32)>,
    /// By place in the head's groups.
    groups: Vec<u16>,
    /// Nanoseconds after the head's first.
    starts: Vec<u64>,
    /// Nanoseconds.
    took: Vec<u64>,
}

/// One span's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Cell {
    pub(in crate::store) group: u16,
    pub(in crate::store) start: u64,
    pub(in crate::store) took: u64,
}

impl Columns {
    pub(super) fn new(spans: &[&Span], groups: Vec<u16>, first: u64) -> Self {
        let traces = spans.chunk_by(|a, b| a.trace_id == b.trace_id);
        let traces = traces.filter_map(|of| Some((of.first()?.trace_id, of.len() as u32)));
        Self {
            traces: traces.collect(),
            groups,
            starts: spans.iter().map(|span| span.start.saturating_sub(first)).collect(),
            took: spans.iter().map(|span| span.end.saturating_sub(span.start)).collect(),
        }
    }

    /// The traces.
    pub(in crate::store) fn ids(&self) -> impl ExactSizeIterator<Item = TraceId> {
        self.traces.iter().map(|(id, _)| *id)
    }

    /// Each trace, and how many of its spans are here.
    pub(in crate::store) fn counts(&self) -> impl Iterator<Item = (TraceId, u32)> {
        self.traces.iter().copied()
    }

    /// Each trace with its spans' cells.
    ///
    /// # Errors
    /// Columns of different lengths.
    pub(in crate::store) fn traces(
        &self,
        first: u64,
    ) -> Result<impl Iterator<Item = (TraceId, impl Iterator<Item = Cell> + Clone)>, Damage> {
        let spans = self.traces.iter().map(|(_, spans)| *spans as usize).sum::<usize>();
        let lengths = [self.groups.len(), self.starts.len(), self.took.len()];
        if lengths.iter().any(|length| *length != spans) {
            return Err(Damage::new("the columns of a block have different lengths"));
        }
        let mut at = 0;
        Ok(self.traces.iter().map(move |(id, spans)| {
            let range = at..at + *spans as usize;
            at = range.end;
            let groups = self.groups.get(range.clone()).unwrap_or_default();
            let starts = self.starts.get(range.clone()).unwrap_or_default();
            let took = self.took.get(range).unwrap_or_default();
            let cells = groups.iter().zip(starts).zip(took).map(move |((group, start), took)| {
                Cell { group: *group, start: first.saturating_add(*start), took: *took }
            });
            (*id, cells)
        }))
    }
}
