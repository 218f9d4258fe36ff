//! The last minutes, for the service map: slots of some seconds, each with its own counts, so that
//! what is too old leaves with its slot.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::bound::OTHER;
use super::facts::{Facts, OUTSIDE};
use crate::durations::Durations;

/// Time that a slot covers.
const SLOT: Duration = Duration::from_secs(2);
/// Time that all of them cover.
pub(super) const KEPT: Duration = Duration::from_secs(300);
/// Routes, and as many pairs of nodes, of one slot that are told apart.
const MAX_KEYS: usize = 1000;
/// Distinct addresses that are not traced, of one slot.
const MAX_ADDRESSES: usize = 50;

/// A route of a service.
type RouteKey = (Arc<str>, Arc<str>);
/// Caller and called.
type CallKey = (Arc<str>, Arc<str>);

#[derive(Clone, Default)]
struct Counts {
    requests: u64,
    errors: u64,
    durations: Durations,
}

impl Counts {
    fn add(&mut self, facts: &Facts) {
        self.requests += 1;
        self.errors += u64::from(facts.failed);
        self.durations.add(facts.duration);
    }

    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.durations.merge(&other.durations);
    }

    fn red(&self, seconds: f64) -> Red {
        let milliseconds = |share| self.durations.quantile(share).unwrap_or(0) as f64 / 1e6;
        Red {
            requests: self.requests,
            errors: self.errors,
            rate: self.requests as f64 / seconds,
            p50: milliseconds(0.5),
            p95: milliseconds(0.95),
            p99: milliseconds(0.99),
        }
    }
}

struct Slot {
    started: Instant,
    routes: HashMap<RouteKey, Counts>,
    calls: HashMap<CallKey, Counts>,
    /// Called addresses that are not traced.
    addresses: HashMap<Arc<str>, ()>,
}

/// The slots, the oldest first.
pub(super) struct Live {
    slots: VecDeque<Slot>,
    begun: Instant,
}

impl Default for Live {
    fn default() -> Self {
        Self { slots: VecDeque::new(), begun: Instant::now() }
    }
}

/// Requests, errors and durations of something.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Red {
    /// In the window.
    pub requests: u64,
    /// Of those, failed.
    pub errors: u64,
    /// Requests a second.
    pub rate: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p95: f64,
    /// Milliseconds.
    pub p99: f64,
}

/// One route of a service.
#[derive(Clone, Debug, Serialize)]
pub struct Route {
    /// The name of its spans.
    pub name: String,
    /// Its requests.
    #[serde(flatten)]
    pub red: Red,
}

/// A service, or something that services call or are called by.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// It is traced.
    pub traced: bool,
    /// Requests that it answered; of one that is not traced, what its callers saw.
    #[serde(flatten)]
    pub red: Red,
    /// Its routes, those with the most requests first.
    pub routes: Vec<Route>,
}

/// Calls from one node to another.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// What the caller saw; of one that is not traced, what the called one did.
    #[serde(flatten)]
    pub red: Red,
}

/// Services and their calls.
#[derive(Clone, Debug, Serialize)]
pub struct Map {
    /// Seconds that it covers.
    pub seconds: f64,
    /// By name.
    pub nodes: Vec<Node>,
    /// By their ends' names.
    pub calls: Vec<Call>,
}

impl Live {
    /// `now` does not go back.
    pub(super) fn observe(&mut self, facts: &Facts, now: Instant) {
        let Some(slot) = self.slot(now) else { return };
        if facts.server {
            let key = (facts.service.clone(), facts.name.clone());
            let key = fit(&slot.routes, key, |(service, _)| (service, OTHER.into()));
            slot.routes.entry(key).or_default().add(facts);
        }
        let (from, to) = match (facts.server, &facts.peer) {
            // The caller's span tells of it.
            (true, Some(_)) => return,
            (true, None) => (OUTSIDE.into(), facts.service.clone()),
            (false, Some(peer)) => (facts.service.clone(), peer.clone()),
            (false, None) => {
                let known = slot.addresses.contains_key(&facts.address);
                let room = slot.addresses.len() < MAX_ADDRESSES;
                let address = if known || room { facts.address.clone() } else { OTHER.into() };
                slot.addresses.insert(address.clone(), ());
                (facts.service.clone(), address)
            }
        };
        let key = fit(&slot.calls, (from, to), |_| (OTHER.into(), OTHER.into()));
        slot.calls.entry(key).or_default().add(facts);
    }

    fn slot(&mut self, now: Instant) -> Option<&mut Slot> {
        let over = |slot: &Slot| now.saturating_duration_since(slot.started) >= SLOT;
        if self.slots.back().is_none_or(over) {
            let (routes, calls) = (HashMap::new(), HashMap::new());
            self.slots.push_back(Slot { started: now, routes, calls, addresses: HashMap::new() });
        }
        let old = |slot: &Slot| now.saturating_duration_since(slot.started) > KEPT + SLOT;
        while self.slots.front().is_some_and(old) {
            self.slots.pop_front();
        }
        self.slots.back_mut()
    }

    pub(super) fn map(&self, now: Instant, window: Duration) -> Map {
        let window = window.clamp(SLOT, KEPT);
        let (mut routes, mut calls) = (HashMap::new(), HashMap::new());
        let young = |slot: &&Slot| now.saturating_duration_since(slot.started) < window;
        for slot in self.slots.iter().rev().take_while(young) {
            merge(&mut routes, &slot.routes);
            merge(&mut calls, &slot.calls);
        }
        let lived = now.saturating_duration_since(self.begun);
        let seconds = lived.clamp(Duration::from_secs(1), window).as_secs_f64();
        let calls = sorted(calls);
        let nodes = nodes(sorted(routes), &calls, seconds);
        let call = |((from, to), counts): (CallKey, Counts)| Call {
            from: from.to_string(),
            to: to.to_string(),
            red: counts.red(seconds),
        };
        Map { seconds, nodes, calls: calls.into_iter().map(call).collect() }
    }
}

fn fit(
    known: &HashMap<(Arc<str>, Arc<str>), Counts>,
    key: (Arc<str>, Arc<str>),
    other: impl Fn((Arc<str>, Arc<str>)) -> (Arc<str>, Arc<str>),
) -> (Arc<str>, Arc<str>) {
    if known.len() < MAX_KEYS || known.contains_key(&key) {
        return key;
    }
    let coarse = other(key);
    if known.len() < 2 * MAX_KEYS || known.contains_key(&coarse) {
        return coarse;
    }
    (OTHER.into(), OTHER.into())
}

fn merge<K: Clone + Eq + std::hash::Hash>(
    into: &mut HashMap<K, Counts>,
    from: &HashMap<K, Counts>,
) {
    for (key, counts) in from {
        into.entry(key.clone()).or_default().merge(counts);
    }
}

fn sorted<K: Ord>(counts: HashMap<K, Counts>) -> Vec<(K, Counts)> {
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    all
}

fn nodes(routes: Vec<(RouteKey, Counts)>, calls: &[(CallKey, Counts)], seconds: f64) -> Vec<Node> {
    #[derive(Default)]
    struct Found {
        counts: Counts,
        routes: Vec<Route>,
        traced: bool,
    }
    let mut found: HashMap<Arc<str>, Found> = HashMap::new();
    for ((service, name), counts) in routes {
        let node = found.entry(service).or_default();
        node.traced = true;
        node.counts.merge(&counts);
        node.routes.push(Route { name: name.to_string(), red: counts.red(seconds) });
    }
    for ((from, to), counts) in calls {
        // Only what is traced makes calls, but for those from outside.
        found.entry(from.clone()).or_default().traced |= &**from != OUTSIDE;
        let called = found.entry(to.clone()).or_default();
        if called.routes.is_empty() {
            called.counts.merge(counts);
        }
    }
    let mut nodes: Vec<_> = found
        .into_iter()
        .map(|(name, mut node)| {
            node.routes.sort_by_key(|route| std::cmp::Reverse(route.red.requests));
            let red = node.counts.red(seconds);
            Node { name: name.to_string(), traced: node.traced, red, routes: node.routes }
        })
        .collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    nodes
}
