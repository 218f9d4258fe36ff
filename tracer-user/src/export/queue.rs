//! The bounded queue between the pipeline and one exporter.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::settings::Settings;
use crate::trace::{Span, Value};

/// A span with its approximate size in bytes ([`weigh`]).
pub type Weighed = (Arc<Span>, usize);

#[derive(Default)]
struct Inner {
    spans: VecDeque<(Weighed, Instant)>,
    bytes: usize,
    /// Batches taken so far.
    taken: u64,
    /// So many were when one who waits gave up: nobody waits again before more are.
    stuck: Option<u64>,
}

/// First in, first out; what exceeds it is not taken.
pub(super) struct Queue {
    inner: Mutex<Inner>,
    arrived: Notify,
    left: Condvar,
    settings: Settings,
}

impl Queue {
    pub(super) fn new(settings: Settings) -> Self {
        Queue { inner: Mutex::default(), arrived: Notify::new(), left: Condvar::new(), settings }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Takes what there is room for and returns how many spans there was none for.
    pub(super) fn push(&self, spans: &[Weighed]) -> u64 {
        let now = Instant::now();
        let mut full = 0;
        let mut inner = self.lock();
        for (span, weight) in spans {
            let bytes = inner.bytes.saturating_add(*weight);
            if self.is_full(&inner, *weight) {
                full += 1;
                continue;
            }
            inner.bytes = bytes;
            inner.spans.push_back(((Arc::clone(span), *weight), now));
        }
        drop(inner);
        self.arrived.notify_one();
        full
    }

    fn is_full(&self, inner: &Inner, weight: usize) -> bool {
        let bytes = inner.bytes.saturating_add(weight);
        inner.spans.len() >= self.settings.queue_spans || bytes > self.settings.queue_bytes
    }

    /// Blocks the thread until there is room for a span, or nothing has left for `patience`.
    pub(super) fn wait_for_room(&self, (_, weight): &Weighed, patience: Duration) {
        self.wait(patience, |inner| self.is_full(inner, *weight));
    }

    /// The same until there is nothing in it.
    pub(super) fn wait_until_empty(&self, patience: Duration) {
        self.wait(patience, |inner| !inner.spans.is_empty());
    }

    fn wait(&self, patience: Duration, not_yet: impl Fn(&Inner) -> bool) {
        let mut inner = self.lock();
        while not_yet(&inner) && inner.stuck != Some(inner.taken) {
            let before = inner.taken;
            let wait = self.left.wait_timeout_while(inner, patience, |it| it.taken == before);
            inner = wait.unwrap_or_else(|e| e.into_inner()).0;
            if inner.taken == before {
                inner.stuck = Some(before);
            }
        }
    }

    /// Waits until a batch is due: enough spans, enough bytes, or one that has waited enough.
    pub(super) async fn due(&self) {
        loop {
            let oldest = {
                let inner = self.lock();
                if inner.spans.len() >= self.settings.batch_spans
                    || inner.bytes >= self.settings.batch_bytes
                {
                    return;
                }
                inner.spans.front().map(|(_, since)| *since)
            };
            // One worker waits here, so a permit that `notify_one` stored is never another's.
            let arrived = self.arrived.notified();
            match oldest.map(|since| since + self.settings.batch_age) {
                None => arrived.await,
                Some(due) if due <= Instant::now() => return,
                Some(due) => {
                    let _ = tokio::time::timeout_at(due, arrived).await;
                }
            }
        }
    }

    /// The next batch, due or not; empty if nothing waits.
    pub(super) fn take(&self) -> Vec<Weighed> {
        let mut inner = self.lock();
        let mut batch = Vec::with_capacity(inner.spans.len().min(self.settings.batch_spans));
        let mut bytes = 0usize;
        while let Some(((_, weight), _)) = inner.spans.front() {
            bytes = bytes.saturating_add(*weight);
            let full =
                batch.len() >= self.settings.batch_spans || bytes > self.settings.batch_bytes;
            if full && !batch.is_empty() {
                break;
            }
            if let Some(((span, weight), _)) = inner.spans.pop_front() {
                inner.bytes = inner.bytes.saturating_sub(weight);
                batch.push((span, weight));
            }
        }
        if !batch.is_empty() {
            inner.taken += 1;
            self.left.notify_all();
        }
        batch
    }
}

/// Spans with their sizes: reckoned once for all queues that they go to.
pub fn weighed(spans: impl IntoIterator<Item = Arc<Span>>) -> Vec<Weighed> {
    let weighed = |span: Arc<Span>| {
        let weight = weigh(&span);
        (span, weight)
    };
    spans.into_iter().map(weighed).collect()
}

/// About how many bytes a span takes, in memory and written as JSON with its resource. It need
/// not be exact, only never far below: limits on bytes rest on it.
pub(crate) fn weigh(span: &Span) -> usize {
    const SPAN: usize = 640;
    const PAIR: usize = 48;
    let value = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Int(_) | Value::Double(_) | Value::Bool(_) => 8,
        Value::Texts(texts) => texts.iter().map(|text| text.len() + PAIR).sum(),
    };
    let pairs = |pairs: &[(std::borrow::Cow<'static, str>, Value)]| -> usize {
        pairs.iter().map(|(key, v)| key.len() + value(v) + PAIR).sum()
    };
    let service = |name: &Option<Arc<str>>| name.as_ref().map_or(0, |name| name.len());
    SPAN + span.name.len()
        + span.trace_state.as_ref().map_or(0, String::len)
        + pairs(&span.attributes)
        + pairs(&span.resource.attributes)
        + span.resource.service.len()
        + service(&span.local.service)
        + service(&span.remote.service)
        + span.links.iter().map(|link| 96 + pairs(&link.attributes)).sum::<usize>()
        + span.events.iter().map(|it| 64 + it.name.len() + pairs(&it.attributes)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prost::Message;

    use super::super::testing::span;
    use super::super::{otlp, zipkin};
    use super::*;

    fn queue(change: impl FnOnce(&mut Settings)) -> Queue {
        let mut settings = Settings::default();
        change(&mut settings);
        Queue::new(settings)
    }

    fn hundreds(count: u64) -> Vec<Weighed> {
        (1..=count).map(|n| (Arc::new(span(n)), 100)).collect()
    }

    #[tokio::test]
    async fn takes_up_to_its_limits_and_returns_the_rest() {
        let by_spans = queue(|s| s.queue_spans = 3);
        assert_eq!(by_spans.push(&hundreds(5)), 2);
        assert_eq!(by_spans.take().len(), 3);
        assert_eq!(by_spans.push(&hundreds(1)), 0);

        let by_bytes = queue(|s| s.queue_bytes = 250);
        assert_eq!(by_bytes.push(&hundreds(5)), 3);
        assert_eq!(by_bytes.take().len(), 2);
        assert_eq!(by_bytes.push(&hundreds(3)), 1);
    }

    #[tokio::test]
    async fn one_who_waits_gets_room() {
        let queue = Arc::new(queue(|s| s.queue_spans = 3));
        queue.push(&hundreds(3));
        let waiting = std::thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                queue.wait_for_room(&hundreds(1)[0], Duration::from_secs(600));
                queue.push(&hundreds(1))
            }
        });
        assert_eq!(queue.take().len(), 3);
        assert_eq!(waiting.join().unwrap(), 0);
    }

    #[tokio::test]
    async fn one_who_waits_in_vain_does_not_wait_again() {
        let queue = queue(|s| s.queue_spans = 3);
        queue.push(&hundreds(3));
        queue.wait_for_room(&hundreds(1)[0], Duration::from_millis(1));
        // Would not return in time.
        queue.wait_for_room(&hundreds(1)[0], Duration::from_secs(600));
        assert_eq!(queue.push(&hundreds(1)), 1);
        queue.take();
        queue.push(&hundreds(1));
        queue.wait_until_empty(Duration::from_millis(1));
        assert_eq!(queue.take().len(), 1);
    }

    #[tokio::test]
    async fn batches_are_bounded_and_in_order() {
        let queue = queue(|s| (s.batch_spans, s.batch_bytes) = (4, 250));
        queue.push(&hundreds(3));
        assert_eq!(queue.take().len(), 2);
        assert_eq!(queue.take().iter().map(|(s, _)| s.start).collect::<Vec<_>>(), [span(3).start]);
        assert!(queue.take().is_empty());
        queue.push(&[(Arc::new(span(9)), 1000)]);
        assert_eq!(queue.take().len(), 1, "one large span goes alone");
    }

    #[test]
    fn weights_are_not_below_what_is_written() {
        let mut full = span(1);
        full.attributes.extend((0..30).map(|n| (format!("key.{n}").into(), Value::Int(n))));
        full.attributes.push(("list".into(), Value::Texts(vec!["x".repeat(50); 20])));
        for span in [span(1), full].map(Arc::new) {
            let spans = [Arc::clone(&span)];
            let json = serde_json::to_vec(&otlp::request(&spans)).unwrap().len();
            let zipkin = zipkin::json(&spans).0.len();
            assert!(zipkin <= weigh(&span), "{zipkin} {}", weigh(&span));
            assert!(otlp::request(&spans).encoded_len() <= weigh(&span));
            // The longest form, for files, which have no limit.
            assert!(json <= 3 * weigh(&span), "{json} {}", weigh(&span));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn due_by_age_or_by_number() {
        let queue = Arc::new(queue(|s| (s.batch_spans, s.batch_age) = (3, Duration::from_secs(7))));
        let start = Instant::now();
        queue.push(&hundreds(1));
        queue.due().await;
        assert_eq!(start.elapsed().as_secs(), 7);
        queue.push(&hundreds(2));
        queue.due().await;
        assert_eq!(start.elapsed().as_secs(), 7, "three are enough");

        queue.take();
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.due().await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        queue.push(&hundreds(3));
        waiting.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 8, "woken by the third");
    }
}
