//! The decision. No clock, no thread: spans and time go in, spans that are kept come out.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use lru::LruCache;

use super::counts::{Counts, Reason};
use super::policy::Policy;
use super::routes::Routes;
use super::share::Share;
use crate::export::{Weighed, weigh};
use crate::trace::{Gather, Kind, Span, TraceId, Wait};

/// Traces whose decision is remembered for what comes late; those that were seen last stay.
const MAX_DECIDED: NonZeroUsize = NonZeroUsize::new(1 << 17).unwrap();

/// A span on its way.
#[derive(Clone, Debug)]
pub struct Came {
    /// The span, and its bytes.
    pub span: Weighed,
    /// A service sent it; the tracer did not make it.
    pub outside: bool,
}

/// Decides which traces are kept.
pub struct Sampler {
    policy: Policy,
    /// Otherwise all are kept, at once.
    chooses: bool,
    routes: Routes,
    held: Gather<Came>,
    decided: LruCache<TraceId, Option<Share>>,
    counts: Arc<Counts>,
}

impl Sampler {
    /// One that keeps everything until it is told to [`choose`](Self::choose).
    pub(super) fn new(policy: Policy, wait: Wait, counts: Arc<Counts>) -> Self {
        let decided = LruCache::new(MAX_DECIDED);
        let (routes, held) = (Routes::new(), Gather::new(wait));
        Self { policy, chooses: false, routes, held, decided, counts }
    }

    /// Whether traces of which nothing has come yet are chosen among from now on, or all kept.
    pub fn choose(&mut self, chooses: bool) {
        self.chooses = chooses;
        self.counts.chooses(chooses);
    }

    /// Takes a span; it goes to `kept`, now or later, if its trace is kept.
    pub fn put(&mut self, came: Came, now: Instant, kept: &mut Vec<Came>) {
        match self.decided.get(&came.span.0.trace_id).copied() {
            Some(verdict) => self.leave(came, verdict, kept),
            // One that is held is decided as a whole, also when all are kept again.
            None if self.chooses || self.held.has(came.span.0.trace_id) => {
                let (span, weight) = came.span.clone();
                self.held.put(&span, weight, came, now);
                self.poll(now, kept);
            }
            None => {
                self.decided.put(came.span.0.trace_id, Some(Share::ALL));
                kept.push(came);
            }
        }
    }

    /// Decides what has waited long enough by `now`.
    pub fn poll(&mut self, now: Instant, kept: &mut Vec<Came>) {
        while let Some((spans, waited)) = self.held.take(now) {
            if !waited {
                self.counts.early();
            }
            self.decide(spans, now, kept);
        }
    }

    /// Decides all that is left.
    pub fn finish(&mut self, now: Instant, kept: &mut Vec<Came>) {
        while let Some(spans) = self.held.take_any() {
            self.decide(spans, now, kept);
        }
    }

    fn decide(&mut self, spans: Vec<Came>, now: Instant, kept: &mut Vec<Came>) {
        let all = || spans.iter().map(|came| &*came.span.0);
        let Some(root) = all().min_by_key(|span| rank(span)) else { return };
        let slow = self.routes.is_slow(root, &self.policy, now);
        let failed = self.policy.errors && all().any(Span::is_error);
        let (reason, verdict) = if failed {
            (Reason::Failed, Some(Share::ALL))
        } else if slow {
            (Reason::Slow, Some(Share::ALL))
        } else if self.policy.rest > 0.0 {
            let share = self.routes.share(root, &self.policy, now);
            let keeps = share.keeps(root);
            (if keeps { Reason::Rest } else { Reason::LeftOut }, keeps.then_some(share))
        } else {
            (Reason::LeftOut, None)
        };
        self.counts.decided(reason);
        self.decided.put(root.trace_id, verdict);
        spans.into_iter().for_each(|came| self.leave(came, verdict, kept));
    }

    fn leave(&self, came: Came, verdict: Option<Share>, kept: &mut Vec<Came>) {
        match verdict {
            Some(Share::ALL) => kept.push(came),
            Some(share) => {
                let span = Arc::new(share.mark(&came.span.0, came.outside));
                let weight = weigh(&span);
                kept.push(Came { span: (span, weight), ..came });
            }
            None => self.counts.left_out(1),
        }
    }
}

/// The least is the outermost span, as far as it is known.
fn rank(span: &Span) -> (bool, u64, std::cmp::Reverse<u64>, bool) {
    let client = span.kind == Kind::Client;
    (span.parent.is_some(), span.start, std::cmp::Reverse(span.end), !client)
}
