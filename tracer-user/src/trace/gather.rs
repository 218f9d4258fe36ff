//! Finished spans put together by trace again, each trace held until it is complete as far as can be
//! known.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};

use super::{Span, TraceId};

/// How long spans of a trace are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// After the last one, once the outermost is there.
    pub quiet: Duration,
    /// After the first one, in any case.
    pub hold: Duration,
    /// Bytes of all spans that wait; beyond that, traces leave early.
    pub bytes: usize,
}

/// One trace, with what was put of each span.
struct Waiting<T> {
    spans: Vec<T>,
    bytes: usize,
    first: Instant,
    last: Instant,
    /// The outermost is there.
    root: bool,
}

/// Traces that may not be complete yet.
pub struct Gather<T> {
    wait: Wait,
    traces: HashMap<TraceId, Waiting<T>>,
    /// When to look at which; a trace may be due later than that by now.
    due: BinaryHeap<Reverse<(Instant, TraceId)>>,
    bytes: usize,
}

impl<T> Waiting<T> {
    fn due(&self, wait: Wait) -> Instant {
        let last = self.first + wait.hold;
        if self.root { last.min(self.last + wait.quiet) } else { last }
    }
}

impl<T> Gather<T> {
    /// Holds nothing.
    #[must_use]
    pub fn new(wait: Wait) -> Self {
        Self { wait, traces: HashMap::new(), due: BinaryHeap::new(), bytes: 0 }
    }

    /// Holds `thing` for a span of so many bytes.
    pub fn put(&mut self, span: &Span, bytes: usize, thing: T, now: Instant) {
        let (id, root) = (span.trace_id, span.parent.is_none());
        let new = || Waiting { spans: vec![], bytes: 0, first: now, last: now, root: false };
        let waiting = self.traces.entry(id).or_insert_with(new);
        let known = !waiting.spans.is_empty() && (waiting.root || !root);
        waiting.last = now;
        waiting.root |= root;
        waiting.bytes += bytes;
        self.bytes += bytes;
        waiting.spans.push(thing);
        // One that is known is looked at too early, and then again.
        if !known {
            self.due.push(Reverse((waiting.due(self.wait), id)));
        }
    }

    /// Whether spans of this trace are held.
    #[must_use]
    pub fn has(&self, trace: TraceId) -> bool {
        self.traces.contains_key(&trace)
    }

    /// A trace that was waited for long enough; `false` with one that leaves early.
    pub fn take(&mut self, now: Instant) -> Option<(Vec<T>, bool)> {
        loop {
            let Reverse((at, id)) = *self.due.peek()?;
            let crowded = self.bytes > self.wait.bytes;
            if at > now && !crowded {
                return None;
            }
            self.due.pop();
            let due = self.traces.get(&id).map(|waiting| waiting.due(self.wait));
            match due {
                Some(due) if due > now && !crowded => self.due.push(Reverse((due, id))),
                Some(due) => return self.remove(id).map(|spans| (spans, due <= now)),
                // It left by an earlier entry.
                None => {}
            }
        }
    }

    /// The trace that is due first, for the end.
    pub fn take_any(&mut self) -> Option<Vec<T>> {
        loop {
            let Reverse((_, id)) = self.due.pop()?;
            if let Some(spans) = self.remove(id) {
                return Some(spans);
            }
        }
    }

    fn remove(&mut self, id: TraceId) -> Option<Vec<T>> {
        let waiting = self.traces.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(waiting.bytes);
        Some(waiting.spans)
    }
}
