//! Families of series whose number is bounded.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// Series of a family whose labels are told in full.
const FULL: usize = 1000;
/// Those, and the ones of which only the service is told.
const MAX: usize = 1250;
/// What a label says whose value is not told.
pub(super) const OTHER: &str = "other";

/// OpenTelemetry's advice for http.server.request.duration, with two finer ones below: between
/// services of one host, 5 ms are long.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>
pub(super) const BUCKETS: [f64; 16] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// How a label set is told with less detail.
pub(super) trait Labels:
    Clone + Hash + Eq + EncodeLabelSet + Debug + Send + Sync + 'static
{
    /// Only the service.
    fn coarse(&self) -> Self;
    /// Nothing.
    fn other() -> Self;
}

/// Counts what went under `other`.
pub(super) type Folded = Counter;

/// A family with a bounded number of series.
pub(super) struct Bounded<L, M, C> {
    family: Family<L, M, C>,
    /// Its series.
    len: AtomicUsize,
}

/// Histograms of durations in seconds.
pub(super) type Histograms<L> = Bounded<L, Histogram, fn() -> Histogram>;
/// Counters.
pub(super) type Counters<L> = Bounded<L, Counter, fn() -> Counter>;

pub(super) fn histograms<L: Labels>() -> Histograms<L> {
    Bounded::new(|| Histogram::new(BUCKETS))
}

pub(super) fn counters<L: Labels>() -> Counters<L> {
    Bounded::new(Counter::default)
}

impl<L: Labels, M: Clone> Bounded<L, M, fn() -> M> {
    fn new(make: fn() -> M) -> Self {
        Self { family: Family::new_with_constructor(make), len: AtomicUsize::new(0) }
    }

    /// As what is registered.
    pub(super) fn family(&self) -> Family<L, M, fn() -> M> {
        self.family.clone()
    }

    /// The series with these labels, or the one that they are told under.
    pub(super) fn series(&self, labels: L, folded: &Folded) -> M {
        let len = self.len.load(Relaxed);
        let fits = |labels: &L, max| len < max || self.family.get(labels).is_some();
        let labels = if fits(&labels, FULL) {
            labels
        } else {
            folded.inc();
            let coarse = labels.coarse();
            if fits(&coarse, MAX) { coarse } else { L::other() }
        };
        if self.family.get(&labels).is_none() {
            self.len.fetch_add(1, Relaxed);
        }
        self.family.get_or_create_owned(&labels)
    }
}
