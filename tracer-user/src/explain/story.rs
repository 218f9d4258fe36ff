//! All that a replay told, by trace.

use std::collections::HashMap;
use std::sync::Arc;

use crate::causality::Hearing;
use crate::trace::{Span, SpanId, TraceId};

/// Spans, and what led to their edges.
#[derive(Default)]
pub(super) struct Story {
    pub(super) spans: Vec<Arc<Span>>,
    pub(super) hearings: HashMap<SpanId, Hearing<SpanId>>,
    /// Position in `spans`.
    places: HashMap<SpanId, usize>,
}

/// One trace.
pub(super) struct Trace {
    pub(super) id: TraceId,
    /// Spans in the order in which a tree is read, each with its depth.
    pub(super) spans: Vec<(usize, Arc<Span>)>,
}

impl Story {
    /// Adds what has become ready.
    pub(super) fn add(&mut self, spans: Vec<Arc<Span>>, hearings: Vec<(SpanId, Hearing<SpanId>)>) {
        self.hearings.extend(hearings);
        for span in spans {
            self.places.insert(span.span_id, self.spans.len());
            self.spans.push(span);
        }
    }

    /// A span of it.
    pub(super) fn span(&self, id: SpanId) -> Option<&Span> {
        self.places.get(&id).and_then(|&place| self.spans.get(place)).map(|span| &**span)
    }

    /// The traces whose ids begin like this, by their starts.
    pub(super) fn traces(&self, prefix: &str) -> Vec<Trace> {
        let mut traces: HashMap<TraceId, Vec<Arc<Span>>> = HashMap::new();
        for span in &self.spans {
            traces.entry(span.trace_id).or_default().push(span.clone());
        }
        traces.retain(|id, _| id.to_string().starts_with(prefix));
        let mut traces: Vec<_> =
            traces.into_iter().map(|(id, spans)| Trace { id, spans: tree(spans) }).collect();
        traces.sort_by_key(|trace| {
            (trace.spans.iter().map(|(_, span)| span.start).min(), trace.id.0)
        });
        traces
    }
}

/// Parents before their children, siblings by their starts.
fn tree(mut spans: Vec<Arc<Span>>) -> Vec<(usize, Arc<Span>)> {
    spans.sort_by_key(|span| (span.start, span.span_id.0));
    let here: HashMap<SpanId, ()> = spans.iter().map(|span| (span.span_id, ())).collect();
    let mut children: HashMap<Option<SpanId>, Vec<Arc<Span>>> = HashMap::new();
    for span in spans {
        let parent = span.parent.filter(|parent| here.contains_key(parent));
        children.entry(parent).or_default().push(span);
    }
    let (mut read, mut next) = (vec![], vec![]);
    let mut push = |next: &mut Vec<_>, depth: usize, of: Option<SpanId>| {
        let found = children.remove(&of).unwrap_or_default();
        next.extend(found.into_iter().rev().map(|span| (depth, span)));
    };
    push(&mut next, 0, None);
    while let Some((depth, span)) = next.pop() {
        push(&mut next, depth + 1, Some(span.span_id));
        read.push((depth, span));
    }
    read
}
