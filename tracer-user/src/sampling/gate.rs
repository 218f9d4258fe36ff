//! The thread that samples.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counts::{Counts, Observer};
use super::policy::Policy;
use super::sampler::{Came, Sampler};
use super::turnover::{Turnover, When};
use crate::export::Weighed;
use crate::feed::Feed;
use crate::trace::Wait;

/// How late a decision may be.
const PERIOD: Duration = Duration::from_millis(100);
/// How often it is looked whether there is room.
const LOOK: Duration = Duration::from_secs(1);

/// Where spans go that are sampled.
pub struct Gate {
    feed: Feed<Came>,
    counts: Arc<Counts>,
}

impl Gate {
    /// Starts the thread; what is kept goes to `sink`.
    ///
    /// # Errors
    /// There can be no more threads.
    pub fn start(
        policy: Policy,
        wait: Wait,
        when: When,
        mut sink: impl FnMut(Vec<Came>) + Send + 'static,
    ) -> io::Result<Self> {
        let counts = Arc::<Counts>::default();
        let mut sampler = Sampler::new(policy, wait, counts.clone());
        sampler.choose(matches!(when, When::Always));
        let mut watch =
            Watch { when, turnover: Turnover::default(), spans: 0, since: Instant::now() };
        let take = move |spans: Option<Vec<Came>>| {
            let (now, mut kept) = (Instant::now(), vec![]);
            if let Some(over) = watch.look(now) {
                sampler.choose(over);
            }
            let over = spans.is_none();
            for came in spans.unwrap_or_default() {
                watch.spans += 1;
                sampler.put(came, now, &mut kept);
            }
            if over {
                sampler.finish(now, &mut kept);
            } else {
                sampler.poll(now, &mut kept);
            }
            if !kept.is_empty() {
                sink(kept);
            }
        };
        let feed = Feed::start("tracer-sampling", "sampling_queue_full", PERIOD, take)?;
        Ok(Self { feed, counts })
    }

    /// Hands spans on; never waits. What is too much is counted as lost.
    pub fn send(&self, spans: &[Weighed], outside: bool) {
        let came = |span: &Weighed| (Came { span: span.clone(), outside }, span.1);
        self.feed.send(spans.iter().map(came));
    }

    /// Decides all that is held, and ends. What is sent later is lost, and counted.
    pub fn close(&self) {
        self.feed.close();
    }

    /// Spans that did not fit, by name.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 1] {
        self.feed.losses()
    }

    /// What became of traces.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer(self.counts.clone())
    }
}

/// Whether there is room for all.
struct Watch {
    when: When,
    turnover: Turnover,
    /// That came since.
    spans: u64,
    since: Instant,
}

impl Watch {
    /// Whether to choose, if it is time to ask.
    fn look(&mut self, now: Instant) -> Option<bool> {
        let When::TurnsOver(room) = &mut self.when else { return None };
        let passed = now.saturating_duration_since(self.since);
        if passed < LOOK {
            return None;
        }
        let over = self.turnover.is_over(self.spans, passed, &room());
        (self.spans, self.since) = (0, now);
        Some(over)
    }
}
