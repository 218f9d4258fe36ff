//! The limits of one exporter.

use std::time::Duration;

/// How much is held, how it is batched and how patiently it is sent; the same for each exporter.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Spans that wait at most; more are dropped and counted.
    pub queue_spans: usize,
    /// The same by their approximate size in bytes. Exporters share the spans' memory, so this
    /// is about what all queues hold together when they wait for the same spans.
    pub queue_bytes: usize,
    /// Spans of one request at most.
    pub batch_spans: usize,
    /// Approximate bytes of one request, before compression. One larger span is sent alone.
    pub batch_bytes: usize,
    /// How long a span waits for company.
    pub batch_age: Duration,
    /// The first pause before a batch is sent again; each further one is twice as long.
    pub backoff_first: Duration,
    /// The longest such pause.
    pub backoff_longest: Duration,
    /// A batch that a backend, being there, has answered with errors for so long is dropped, so
    /// that one it cannot digest does not hold up the rest for good. A backend that can't be
    /// reached is waited for without limit.
    pub give_up: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            queue_spans: 65_536,
            queue_bytes: 64 << 20,
            batch_spans: 512,
            batch_bytes: 1 << 20,
            batch_age: Duration::from_millis(500),
            backoff_first: Duration::from_millis(250),
            backoff_longest: Duration::from_secs(10),
            give_up: Duration::from_secs(600),
        }
    }
}
