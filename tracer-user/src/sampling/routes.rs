//! What is known of each route: how long its traces take, and how many come.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lru::LruCache;

use super::policy::Policy;
use super::share::Share;
use crate::durations::Durations;
use crate::trace::Span;

/// Routes that are told apart; those that were used last stay.
const MAX_ROUTES: NonZeroUsize = NonZeroUsize::new(2048).unwrap();
/// Traces of a route before one of them is called slow.
const ENOUGH: u64 = 100;
/// When as many are known, half of them are forgotten: what is slow is so by now.
const MANY: u64 = 20_000;

/// By service and name of the outermost span.
pub(super) struct Routes(LruCache<(Arc<str>, String), Route>);

struct Route {
    durations: Durations,
    /// Since when traces of the rest are counted, at most a second.
    since: Instant,
    count: u32,
    /// In the second before.
    before: u32,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self(LruCache::new(MAX_ROUTES))
    }

    /// Whether a trace with this outermost span is slow for its route; it is one of its traces from
    /// now on.
    pub(super) fn is_slow(&mut self, root: &Span, policy: &Policy, now: Instant) -> bool {
        let (route, took) = (self.of(root, now), root.end.saturating_sub(root.start));
        let known = route.durations.count();
        let slow = policy.slow < 1.0
            && known >= ENOUGH
            && route.durations.are_mostly_below(policy.slow, took);
        if known >= MANY {
            route.durations.halve();
        }
        route.durations.add(took);
        slow
    }

    /// The share of the rest that is kept, one more being there. Those of the second before are the
    /// measure, or those of this one if they are more already, so that a route that begins with many
    /// does not flood.
    pub(super) fn share(&mut self, root: &Span, policy: &Policy, now: Instant) -> Share {
        const SECOND: Duration = Duration::from_secs(1);
        let route = self.of(root, now);
        let passed = now.saturating_duration_since(route.since);
        if passed >= SECOND {
            route.before = if passed < 2 * SECOND { route.count } else { 0 };
            (route.since, route.count) = (now, 0);
        }
        route.count = route.count.saturating_add(1);
        Share::of(policy.rest / f64::from(route.count.max(route.before)))
    }

    fn of(&mut self, root: &Span, now: Instant) -> &mut Route {
        let key = (root.resource.service.clone(), root.name.clone());
        let new = || Route { durations: Durations::default(), since: now, count: 0, before: 0 };
        self.0.get_or_insert_mut(key, new)
    }
}
