//! The way of spans from the capture thread, which never waits, to those who need them one by one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::trace::Span;

/// Spans that may wait.
const MAX_WAITING: usize = 65_536;

/// The thread's other end; it ends when this is dropped.
pub struct Feed {
    spans: Sender<Vec<Arc<Span>>>,
    waiting: Arc<AtomicUsize>,
    lost: AtomicU64,
}

impl Feed {
    /// Starts a thread that hands batches to `take`.
    ///
    /// # Errors
    /// There can be no more threads.
    pub fn start(take: impl FnMut(&[Arc<Span>]) + Send + 'static) -> io::Result<Self> {
        let (spans, receiver) = channel();
        let feed = Self { spans, waiting: Arc::default(), lost: AtomicU64::new(0) };
        let waiting = feed.waiting.clone();
        let thread = thread::Builder::new().name("tracer-metrics".into());
        thread.spawn(move || run(take, &receiver, &waiting))?;
        Ok(feed)
    }

    /// Hands spans on; never waits. What is too much is counted as lost.
    pub fn send(&self, spans: &[Arc<Span>]) {
        let room = MAX_WAITING.saturating_sub(self.waiting.load(Relaxed));
        let (taken, left) = spans.split_at(spans.len().min(room));
        self.lost.fetch_add(left.len() as u64, Relaxed);
        if !taken.is_empty() {
            self.waiting.fetch_add(taken.len(), Relaxed);
            if self.spans.send(taken.to_vec()).is_err() {
                self.lost.fetch_add(taken.len() as u64, Relaxed);
            }
        }
    }

    /// Spans that did not fit, by name.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 1] {
        [("metrics_queue_full", self.lost.load(Relaxed))]
    }
}

fn run(
    mut take: impl FnMut(&[Arc<Span>]),
    spans: &Receiver<Vec<Arc<Span>>>,
    waiting: &AtomicUsize,
) {
    for batch in spans {
        take(&batch);
        waiting.fetch_sub(batch.len(), Relaxed);
    }
}
