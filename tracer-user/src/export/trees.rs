//! Standard output that is a terminal: traces as small trees, each when it is complete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counters::Reason;
use super::queue::weigh;
use super::sink::{Payload, Sink, Verdict};
use super::writer::Writer;
use crate::trace::{Gather, Span, Wait};
use crate::waterfall;

/// A person waits for it, and the pipeline has waited already.
const WAIT: Wait =
    Wait { quiet: Duration::from_millis(300), hold: Duration::from_secs(3), bytes: 16 << 20 };

pub(super) struct Trees {
    writer: Writer,
    traces: Gather<Arc<Span>>,
}

impl Trees {
    pub(super) fn new(out: impl std::io::Write + Send + 'static) -> std::io::Result<Self> {
        Ok(Self { writer: Writer::new(out)?, traces: Gather::new(WAIT) })
    }

    /// Draws what is complete by `now`; all if that is `None`.
    fn drawn(&mut self, now: Option<Instant>) -> String {
        let (width, colours) = (waterfall::width(), waterfall::colours());
        let mut text = String::new();
        loop {
            let next = match now {
                Some(now) => self.traces.take(now).map(|(spans, _)| spans),
                None => self.traces.take_any(),
            };
            let Some(spans) = next else { return text };
            text += &waterfall::text(&waterfall::Trace::of(&spans), width, colours);
            text.push('\n');
        }
    }

    async fn write(&mut self, text: String) -> Verdict {
        if text.is_empty() {
            return Verdict::Accepted { rejected: 0, why: None };
        }
        match self.writer.write(text.into()).await {
            Ok(()) => Verdict::Accepted { rejected: 0, why: None },
            Err(error) => Verdict::Dropped { reason: Reason::WriteFailed, why: error.to_string() },
        }
    }
}

impl Sink for Trees {
    type Body = Vec<Arc<Span>>;
    const PERIOD: Option<Duration> = Some(Duration::from_millis(100));

    fn encode(&self, spans: &[Arc<Span>]) -> Payload<Self::Body> {
        Payload { body: spans.to_vec(), invalid: 0 }
    }

    async fn deliver(&mut self, body: &Self::Body) -> Verdict {
        let now = Instant::now();
        body.iter().for_each(|span| self.traces.put(span, weigh(span), span.clone(), now));
        let text = self.drawn(Some(now));
        self.write(text).await
    }

    async fn pass(&mut self, over: bool) {
        let text = self.drawn((!over).then(Instant::now));
        // It can't be told to anybody: the spans count as written already.
        if let Verdict::Dropped { why, .. } = self.write(text).await {
            tracing::warn!(why, "standard output");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::super::testing::span;
    use super::{Sink as _, Trees};
    use crate::trace::SpanId;

    #[derive(Clone, Default)]
    struct Out(Arc<Mutex<Vec<u8>>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Out {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[tokio::test]
    async fn a_trace_is_drawn_whole_once_nothing_more_comes() {
        let out = Out::default();
        let mut trees = Trees::new(out.clone()).unwrap();
        let (mut root, child, mut other) = (span(1), span(2), span(3));
        root.parent = None;
        let mut child = child;
        child.parent = Some(root.span_id);
        (other.trace_id.0[0], other.parent) = (9, Some(SpanId([9; 8])));
        trees.deliver(&vec![Arc::new(child)]).await;
        trees.deliver(&vec![Arc::new(root), Arc::new(other)]).await;
        assert_eq!(out.text(), "", "more may come");
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while out.text().is_empty() {
            assert!(std::time::Instant::now() < patience);
            trees.pass(false).await;
            tokio::task::yield_now().await;
        }
        let first = out.text();
        assert_eq!((first.matches("trace ").count(), first.matches("2 spans").count()), (1, 1));
        trees.pass(true).await;
        let all = out.text();
        assert!(all.starts_with(&first) && all.matches("trace ").count() == 2, "{all}");
        assert!(all.ends_with("\n\n"), "{all:?}");
    }
}
