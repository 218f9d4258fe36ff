//! The last traces, in memory: what the page shows where no store keeps them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::traces::{Findings, Found, Held, Query, Traces};
use crate::export::weigh;
use crate::trace::{Kind, Span, Status, TraceId, Value};

/// Bytes that the spans may take, about.
const MAX_BYTES: usize = 64 << 20;

/// Finished spans; the oldest leave first.
pub struct Recent {
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    spans: VecDeque<(Arc<Span>, usize)>,
    bytes: usize,
    traces: HashMap<TraceId, Vec<Arc<Span>>>,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl Recent {
    fn new(limit: usize) -> Self {
        Self { limit, inner: Mutex::default() }
    }
}

impl Inner {
    fn drop_oldest(&mut self) {
        let Some((span, weight)) = self.spans.pop_front() else { return };
        self.bytes = self.bytes.saturating_sub(weight);
        if let Some(spans) = self.traces.get_mut(&span.trace_id) {
            spans.retain(|other| !Arc::ptr_eq(other, &span));
            if spans.is_empty() {
                self.traces.remove(&span.trace_id);
            }
        }
    }
}

impl Traces for Recent {
    fn put(&self, spans: &[Arc<Span>]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for span in spans {
            let weight = weigh(span);
            inner.bytes += weight;
            inner.spans.push_back((span.clone(), weight));
            inner.traces.entry(span.trace_id).or_default().push(span.clone());
            while inner.bytes > self.limit {
                inner.drop_oldest();
            }
        }
    }

    fn find(&self, query: &Query) -> Findings {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let started = query.from.unwrap_or(0)..=query.to.unwrap_or(u64::MAX);
        let words = words(query.text.as_deref().unwrap_or_default());
        let fits = |spans: &&Vec<Arc<Span>>| spans.iter().any(|span| fits(query, &words, span));
        let found = inner.traces.values().filter(fits).filter_map(|spans| sum(spans));
        let mut traces: Vec<_> = found.filter(|found| started.contains(&found.start)).collect();
        traces.sort_unstable_by_key(|found| (std::cmp::Reverse(found.start), found.trace_id));
        traces.truncate(query.limit);
        Findings { traces, complete: true }
    }

    fn trace(&self, id: TraceId) -> Vec<Arc<Span>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.traces.get(&id).cloned().unwrap_or_default()
    }

    fn held(&self) -> Held {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Held {
            spans: inner.spans.len() as u64,
            bytes: inner.bytes as u64,
            limit: self.limit as u64,
            oldest: inner.spans.front().map(|(span, _)| span.start),
            lasting: false,
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

fn fits(query: &Query, words: &[String], span: &Span) -> bool {
    let is = |wanted: &Option<String>, text: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(text))
    };
    let route = span.name.split_once(' ').map_or("", |(_, route)| route);
    let took = span.end.saturating_sub(span.start);
    is(&query.service, &span.resource.service)
        && (is(&query.name, &span.name) || is(&query.name, route))
        && (query.min_duration.unwrap_or(0)..=query.max_duration.unwrap_or(u64::MAX))
            .contains(&took)
        && (!query.errors || span.status != Status::Unset)
        && words.iter().all(|word| says(span, word))
}

fn says(span: &Span, word: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(word);
    let mut values = span.attributes.iter().chain(&span.resource.attributes);
    has(&span.name)
        || has(&span.resource.service)
        || span.remote.service.as_deref().is_some_and(has)
        || values.any(|(_, value)| match value {
            Value::Text(text) => has(text),
            Value::Int(number) => number.to_string() == word,
            Value::Texts(texts) => texts.iter().any(|text| has(text)),
            Value::Double(_) | Value::Bool(_) => false,
        })
}

/// `None` for no spans.
fn sum(spans: &[Arc<Span>]) -> Option<Found> {
    // Where both sides of a request start at once, the caller is first.
    let rank = |span: &&Arc<Span>| (span.parent.is_some(), span.start, span.kind != Kind::Client);
    let root = spans.iter().min_by_key(rank)?;
    let start = spans.iter().map(|span| span.start).min()?;
    let end = spans.iter().map(|span| span.end).max()?;
    let mut services: Vec<(String, u32)> = vec![];
    for span in spans {
        match services.iter_mut().find(|(name, _)| **name == *span.resource.service) {
            Some((_, count)) => *count += 1,
            None => services.push((span.resource.service.to_string(), 1)),
        }
    }
    services.sort_unstable();
    Some(Found {
        trace_id: root.trace_id,
        root_service: root.resource.service.to_string(),
        root_name: root.name.clone(),
        has_root: root.parent.is_none(),
        start,
        duration: end.saturating_sub(start),
        spans: spans.len() as u32,
        errors: spans.iter().filter(|span| span.status != Status::Unset).count() as u32,
        services,
    })
}

#[cfg(test)]
mod tests {
    use super::{Arc, Query, Recent, Span, Traces as _};
    use crate::serve::testing::span;

    fn recent() -> (Recent, Vec<Arc<Span>>) {
        let recent = Recent::default();
        let spans = vec![
            span(1, 1, None, "front", "GET /", 0, 30, 200),
            span(1, 2, Some(1), "cart", "GET /cart/{id}", 5, 20, 500),
            span(2, 3, None, "front", "POST /buy", 50, 3, 200),
        ];
        recent.put(&spans);
        (recent, spans)
    }

    fn found(recent: &Recent, query: &Query) -> Vec<u8> {
        let query = Query { limit: 10, ..query.clone() };
        recent.find(&query).traces.iter().map(|found| found.trace_id.0[15]).collect()
    }

    #[test]
    fn traces_are_found_by_what_a_span_of_theirs_is() {
        let (recent, _) = recent();
        let text = |text: &str| Some(text.to_owned());
        let all = Query::default();
        assert_eq!(found(&recent, &all), [2, 1], "the newest first");
        assert_eq!(found(&recent, &Query { service: text("cart"), ..all.clone() }), [1]);
        assert_eq!(found(&recent, &Query { name: text("/cart/{id}"), ..all.clone() }), [1]);
        assert_eq!(found(&recent, &Query { name: text("post /buy"), ..all.clone() }), [2]);
        assert_eq!(found(&recent, &Query { errors: true, ..all.clone() }), [1]);
        assert_eq!(found(&recent, &Query { text: text("500 CART"), ..all.clone() }), [1]);
        assert_eq!(found(&recent, &Query { text: text("nothing"), ..all.clone() }), [0_u8; 0]);
        let ms = 1_000_000;
        assert_eq!(found(&recent, &Query { min_duration: Some(25 * ms), ..all.clone() }), [1]);
        assert_eq!(found(&recent, &Query { max_duration: Some(5 * ms), ..all.clone() }), [2]);
        assert_eq!(found(&recent, &Query { from: Some(40 * ms), ..all.clone() }), [2]);
        let one = recent.find(&Query { limit: 1, ..all });
        assert_eq!(one.traces.len(), 1);
    }

    #[test]
    fn a_trace_in_short() {
        let (recent, spans) = recent();
        let found = &recent.find(&Query { limit: 10, errors: true, ..Query::default() }).traces[0];
        assert_eq!((&*found.root_service, &*found.root_name), ("front", "GET /"));
        assert_eq!((found.spans, found.errors, found.duration), (2, 1, 30_000_000));
        assert_eq!(found.services, [("cart".to_owned(), 1), ("front".to_owned(), 1)]);
        assert_eq!(recent.trace(found.trace_id), spans[..2]);
    }

    #[test]
    fn the_oldest_leave() {
        let (_, spans) = recent();
        let small = Recent::new(3 * super::weigh(&spans[0]));
        for _ in 0..100 {
            small.put(&spans);
        }
        assert!(small.held().spans <= 3 && small.held().bytes <= small.held().limit);
        let inner = small.inner.lock().unwrap();
        assert_eq!(inner.traces.values().map(Vec::len).sum::<usize>(), inner.spans.len());
    }
}
