//! The bounded queue between whoever has spans and the thread that writes them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::export::Weighed;
use crate::trace::Span;

/// Spans that wait at most, and their bytes in memory. With the spans of some blocks that are being
/// written, this is what the store takes of memory.
const MOST: usize = 32_768;
const MOST_BYTES: usize = 96 << 20;

#[derive(Default)]
struct Inner {
    spans: VecDeque<(Arc<Span>, usize)>,
    bytes: usize,
    /// Flushes that were asked for, and done.
    asked: u64,
    done: u64,
    closed: bool,
}

/// What the writer is to do.
pub(super) struct Work {
    pub(super) spans: Vec<Arc<Span>>,
    /// Everything is to be on the disk, and then this flush is done.
    pub(super) flush: Option<u64>,
    /// Nothing will come any more.
    pub(super) closed: bool,
}

/// First in, first out.
#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    arrived: Condvar,
    flushed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Takes what there is room for, and returns how many there was none for.
    pub(super) fn push(&self, spans: &[Weighed]) -> u64 {
        let mut lost = 0;
        let mut inner = self.lock();
        for (span, weight) in spans {
            let bytes = inner.bytes + weight;
            if inner.closed || inner.spans.len() >= MOST || bytes > MOST_BYTES {
                lost += 1;
                continue;
            }
            inner.bytes = bytes;
            inner.spans.push_back((span.clone(), *weight));
        }
        drop(inner);
        self.arrived.notify_one();
        lost
    }

    /// At most `most` spans, and not many more than `bytes`, as soon as there is anything to do; nothing
    /// at `deadline`.
    pub(super) fn take(&self, most: usize, bytes: usize, deadline: Option<Instant>) -> Work {
        let mut inner = self.lock();
        loop {
            let flush = (inner.asked > inner.done).then_some(inner.asked);
            if !inner.spans.is_empty() || flush.is_some() || inner.closed {
                let (mut spans, before) = (vec![], inner.bytes);
                while spans.len() < most && before - inner.bytes < bytes {
                    let Some((span, weight)) = inner.spans.pop_front() else { break };
                    inner.bytes -= weight;
                    spans.push(span);
                }
                // A flush is of what was put before it, so the queue has to be empty.
                let rest = !inner.spans.is_empty();
                return Work {
                    spans,
                    flush: flush.filter(|_| !rest),
                    closed: inner.closed && !rest,
                };
            }
            let wait = match deadline {
                Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                    Some(wait) if !wait.is_zero() => wait,
                    _ => return Work { spans: vec![], flush: None, closed: false },
                },
                None => Duration::from_secs(3600),
            };
            let woken = self.arrived.wait_timeout(inner, wait);
            inner = woken.unwrap_or_else(|e| e.into_inner()).0;
        }
    }

    /// Blocks until all that was put before is written, or `patience` is over: then `false`.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let mut inner = self.lock();
        inner.asked += 1;
        let mine = inner.asked;
        self.arrived.notify_one();
        let wait = self.flushed.wait_timeout_while(inner, patience, |inner| inner.done < mine);
        wait.unwrap_or_else(|e| e.into_inner()).0.done >= mine
    }

    /// A flush is done.
    pub(super) fn flushed(&self, flush: u64) {
        self.lock().done = flush;
        self.flushed.notify_all();
    }

    /// The writer is to end when it has written what waits.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Spans that wait.
    pub(super) fn len(&self) -> usize {
        self.lock().spans.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{MOST, MOST_BYTES, Queue};
    use crate::export::{weigh, weighed};
    use crate::store::testing::{Shape, span, spans};

    #[test]
    fn it_is_bounded_and_in_order() {
        let (queue, spans) = (Queue::default(), weighed(spans(3)));
        for _ in 0..MOST / 3 {
            assert_eq!(queue.push(&spans), 0);
        }
        assert_eq!(queue.push(&spans), 3 - (MOST % 3) as u64);
        let work = queue.take(4, MOST_BYTES, None);
        assert_eq!(work.spans.iter().map(|s| s.span_id).collect::<Vec<_>>(), {
            let ids: Vec<_> = spans.iter().map(|(span, _)| span.span_id).collect();
            [ids[0], ids[1], ids[2], ids[0]]
        });
        queue.close();
        assert_eq!(queue.push(&spans), 3);
        assert!(!queue.take(4, MOST_BYTES, None).closed, "there is more");
        queue.take(MOST, MOST_BYTES, None);
        assert!(queue.take(MOST, MOST_BYTES, None).closed);
    }

    #[test]
    fn large_spans_count_for_more() {
        let (queue, path) = (Queue::default(), "x".repeat(1 << 20));
        let large = Arc::new(span(&Shape { path: &path, ..Shape::default() }));
        let given = weighed(vec![large.clone(); 200]);
        let taken = MOST_BYTES / weigh(&large);
        assert_eq!(queue.push(&given), (200 - taken) as u64);
        assert_eq!(queue.take(MOST, 3 << 20, None).spans.len(), 3);
        assert_eq!(queue.push(&given), 197);
    }
}
