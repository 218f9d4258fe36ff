//! The last traces, in memory: what the page shows where no store keeps them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::traces::{Held, Intake, Traces};
use crate::export::weigh;
use crate::store::Snapshot;
use crate::trace::Span;

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

impl Intake for Recent {
    fn put(&self, spans: &[Arc<Span>]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for span in spans {
            let weight = weigh(span);
            inner.bytes += weight;
            inner.spans.push_back((span.clone(), weight));
            while inner.bytes > self.limit
                && let Some((_, weight)) = inner.spans.pop_front()
            {
                inner.bytes = inner.bytes.saturating_sub(weight);
            }
        }
    }
}

impl Traces for Recent {
    /// All spans as they are now; searching them holds nobody up.
    fn snapshot(&self) -> Snapshot {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot::of(inner.spans.iter().map(|(span, _)| span.clone()).collect())
    }

    fn held(&self) -> Held {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Held {
            spans: inner.spans.len() as u64,
            bytes: inner.bytes as u64,
            limit: self.limit as u64,
            oldest: inner.spans.front().map(|(span, _)| span.start),
            ..Held::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Intake as _, Recent, Span, Traces as _};
    use crate::serve::testing::span;
    use crate::store::Query;

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
        recent.snapshot().find(&query).traces.iter().map(|found| found.trace_id.0[15]).collect()
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
        let one = recent.snapshot().find(&Query { limit: 1, ..all });
        assert_eq!(one.traces.len(), 1);
    }

    #[test]
    fn a_trace_in_short() {
        let (recent, spans) = recent();
        let found =
            &recent.snapshot().find(&Query { limit: 10, errors: true, ..Query::default() }).traces
                [0];
        assert_eq!((&*found.root_service, &*found.root_name), ("front", "GET /"));
        assert_eq!((found.spans, found.errors, found.duration), (2, 1, 30_000_000));
        assert_eq!(found.services, [("cart".to_owned(), 1), ("front".to_owned(), 1)]);
        assert_eq!(recent.snapshot().trace(found.trace_id).unwrap().spans, spans[..2]);
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
        let weights: usize = inner.spans.iter().map(|(_, weight)| weight).sum();
        assert_eq!(inner.bytes, weights);
    }
}
