//! Joins exchanges into traces and says when each is ready to leave.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::causality::Hearing;
use crate::connection::Moment;
use crate::exchange::{ConnectionKey, ExchangeId, Signal};

use super::clock::Clocks;
use super::ids::{another, span_id};
use super::node::{Node, Parent, Peer};
use super::placing::{LeaveOut, LeftOut, Placed};
use super::records::Records;
use super::spells::Spells;
use super::tree::Tree;
use super::{Clock, SpanId};

/// How long to wait; nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After an exchange's end, for its other end and for late evidence.
    pub settle: u64,
    /// After an exchange's end, for its ancestors to be decided.
    pub max_hold: u64,
}

/// The stage's first half; [`super::span`] is the second.
pub struct Assembly {
    pub(super) patience: Patience,
    pub(super) leave_out: LeaveOut,
    pub(super) nodes: HashMap<ExchangeId, Node>,
    /// Of those; no two are alike.
    spans: HashSet<SpanId>,
    pub(super) timers: BinaryHeap<Reverse<(u64, ExchangeId, Timer)>>,
    pub(super) ready: Vec<ExchangeId>,
    pub(super) overdue: Vec<ExchangeId>,
    /// Those that were used last stay.
    pub(super) own: LruCache<ConnectionKey, ()>,
    pub(super) clocks: Clocks,
    /// When the wall clock was set.
    pub(super) steps: Spells,
    /// When records were lost.
    pub(super) full: Spells,
    pub(super) records: Records,
    pub(super) late: u64,
    pub(super) conflicts: u64,
    pub(super) left_out: LeftOut,
    pub(super) clock_steps: u64,
    pub(super) hearings: Vec<(SpanId, Hearing<SpanId>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Settled,
    Overdue,
}

/// The tracer's own connections that are remembered.
const MAX_OWN: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

impl Assembly {
    /// An empty stage.
    #[must_use]
    pub fn new(patience: Patience, leave_out: LeaveOut, clock: Clock) -> Self {
        Self {
            patience,
            leave_out,
            nodes: HashMap::new(),
            spans: HashSet::new(),
            timers: BinaryHeap::new(),
            ready: vec![],
            overdue: vec![],
            own: LruCache::new(MAX_OWN),
            clocks: Clocks::new(clock),
            steps: Spells::default(),
            full: Spells::default(),
            records: Records::default(),
            late: 0,
            conflicts: 0,
            left_out: LeftOut::default(),
            clock_steps: 0,
            hearings: vec![],
        }
    }

    /// A connection of the tracer's own: what happens at its other end, and because of that, is not
    /// traced.
    pub fn own_connection(&mut self, connection: ConnectionKey) {
        self.own.put(connection, ());
    }

    /// Takes what the exchange stage says, in order.
    pub fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Started { id, side, at, key, connection, .. } => {
                let mut span = span_id(key, side);
                while !self.spans.insert(span) {
                    span = another(span);
                }
                let node = Node {
                    side,
                    at,
                    span,
                    connection,
                    ended: None,
                    above: None,
                    peer: None,
                    parent: Parent::Open,
                    context: None,
                    originated: false,
                    tree: Tree::new(id, key, at.time),
                    exchange: None,
                    forgotten: false,
                };
                self.nodes.insert(id, node);
            }
            Signal::Head { id, context: Some(context), .. } => {
                if let Some(node) = self.nodes.get_mut(&id) {
                    node.tree.carry(id.0, &context);
                    node.context = Some(context);
                }
            }
            Signal::Paired { client, server } => {
                for (id, peer) in [(client, server), (server, client)] {
                    let Some(other) = self.nodes.get(&peer) else { continue };
                    let peer = Peer { id: peer, pid: other.at.pid, started: other.at.time };
                    if let Some(node) = self.nodes.get_mut(&id) {
                        node.peer = Some(peer);
                    }
                }
                self.link(server, client, "pair", 1.0);
            }
            Signal::Ended(exchange) => {
                let (id, ended) = (exchange.id, exchange.ended.time);
                let Some(node) = self.nodes.get_mut(&id) else { return };
                node.ended = Some(ended);
                self.records.ended(&exchange);
                node.exchange = Some(exchange);
                self.timers.push(Reverse((ended + self.patience.settle, id, Timer::Settled)));
            }
            Signal::Carries { call, server } => self.link(server, call, "pair", 1.0),
            Signal::Unsealed(id) => self.retract(id),
            Signal::Head { context: None, .. }
            | Signal::Opens { .. }
            | Signal::Dials { .. }
            | Signal::Read { .. }
            | Signal::Replied { .. }
            | Signal::Left { .. }
            | Signal::Refused { .. } => {}
        }
    }

    /// Nothing that comes can refer to this exchange any more.
    pub fn forget(&mut self, id: ExchangeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.forgotten = true;
            self.remove_if_done(id);
        }
    }

    /// The exchanges that are ready to leave. `traces_itself` tells that of the process that acted
    /// then.
    pub fn take_ready(&mut self, traces_itself: impl Fn(&Moment) -> bool) -> Vec<Placed> {
        let mut placed = vec![];
        // Some wait for others.
        while !self.ready.is_empty() {
            let mut ready = std::mem::take(&mut self.ready);
            let exchange = |id| self.nodes.get(&id).and_then(|node| node.exchange.as_deref());
            ready.retain(|&id| {
                let leaves = |id| exchange(id).is_some();
                !exchange(id).is_some_and(|exchange| self.records.waits(exchange, leaves))
            });
            ready.iter().for_each(|&id| self.mark(id));
            placed.extend(ready.iter().filter_map(|&id| self.place(id, &traces_itself)));
            // Not before all are placed: they look at each other.
            for id in ready {
                self.remove_if_done(id);
            }
        }
        placed
    }

    /// What led to the decisions since this was asked last, by the CLIENT span of each call; empty
    /// unless decisions tell it.
    pub fn take_hearings(&mut self) -> Vec<(SpanId, Hearing<SpanId>)> {
        std::mem::take(&mut self.hearings)
    }

    /// What went otherwise than the trees show, by name.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 3] {
        [
            ("late_evidence", self.late),
            ("trace_conflicts", self.conflicts),
            ("clock_steps", self.clock_steps),
        ]
    }

    /// Exchanges left out on purpose: no loss.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// How many things are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        let records = self.records.remembered();
        self.nodes.len() + self.timers.len() + self.ready.len() + self.overdue.len() + records
    }

    /// An exchange is none. Its other end, should that be one, takes its place.
    fn retract(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.remove(&id) else { return };
        self.spans.remove(&node.span);
        let Some(peer) = node.peer.map(|peer| peer.id) else { return };
        let Some(below) = self.nodes.get_mut(&peer) else { return };
        below.peer = None;
        if below.above.is_some_and(|above| above.id == id) {
            (below.above, below.parent) = (node.above, node.parent);
            if node.is_open() {
                self.root(peer);
            }
        }
    }

    /// An exchange that has left, and that nothing refers to.
    fn remove_if_done(&mut self, id: ExchangeId) {
        let done = |node: &Node| node.forgotten && node.ended.is_some() && node.exchange.is_none();
        if self.nodes.get(&id).is_some_and(done)
            && let Some(node) = self.nodes.remove(&id)
        {
            self.spans.remove(&node.span);
        }
    }
}

#[cfg(test)]
#[path = "assembly_tests.rs"]
mod tests;
