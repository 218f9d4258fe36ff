//! Joins exchanges into traces and says when each is ready to leave.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::causality::{Decision, Provenance};
use crate::connection::Moment;
use crate::exchange::{ConnectionKey, ExchangeId, Side, Signal};

use super::SpanId;
use super::ids::{another, span_id};
use super::node::{Above, Node, Parent, Peer};
use super::placing::{LeaveOut, LeftOut, Placed};
use super::tree::Tree;

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
    patience: Patience,
    pub(super) leave_out: LeaveOut,
    pub(super) nodes: HashMap<ExchangeId, Node>,
    /// Of those; no two are alike.
    spans: HashSet<SpanId>,
    timers: BinaryHeap<Reverse<(u64, ExchangeId, Timer)>>,
    ready: Vec<ExchangeId>,
    overdue: Vec<ExchangeId>,
    /// Those that were used last stay.
    own: LruCache<ConnectionKey, ()>,
    late: u64,
    conflicts: u64,
    pub(super) left_out: LeftOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Settled,
    Overdue,
}

/// The tracer's own connections that are remembered.
const MAX_OWN: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// Ancestors that are looked at for one that is the tracer's own.
const MAX_DEPTH: usize = 256;

impl Assembly {
    /// An empty stage.
    #[must_use]
    pub fn new(patience: Patience, leave_out: LeaveOut) -> Self {
        Self {
            patience,
            leave_out,
            nodes: HashMap::new(),
            spans: HashSet::new(),
            timers: BinaryHeap::new(),
            ready: vec![],
            overdue: vec![],
            own: LruCache::new(MAX_OWN),
            late: 0,
            conflicts: 0,
            left_out: LeftOut::default(),
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
                    tree: Tree::new(id, key),
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
                node.exchange = Some(exchange);
                self.timers.push(Reverse((ended + self.patience.settle, id, Timer::Settled)));
            }
            Signal::Head { context: None, .. }
            | Signal::Read { .. }
            | Signal::Replied { .. }
            | Signal::Left { .. } => {}
        }
    }

    /// Takes a decision on a call's parent.
    pub fn decided(&mut self, decision: Decision) {
        if let Some(node) = self.nodes.get_mut(&decision.call) {
            match (decision.context, &node.context) {
                (Provenance::Constant, Some(context)) => node.tree.refuse(context),
                (context, _) => node.originated = context == Provenance::Made,
            }
        }
        match decision.parent {
            Some((request, method, confidence)) => {
                self.link(decision.call, request, method, confidence);
            }
            None => self.root(decision.call),
        }
    }

    /// Nothing that comes can refer to this exchange any more.
    pub fn forget(&mut self, id: ExchangeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.forgotten = true;
            self.remove_if_done(id);
        }
    }

    /// Calls that must be decided now, with the evidence so far, because a descendant has waited
    /// long enough. To be asked again until there are none.
    pub fn overdue(&mut self, now: u64) -> Option<ExchangeId> {
        while let Some(&Reverse((time, id, timer))) = self.timers.peek()
            && time <= now
        {
            self.timers.pop();
            self.due(id, time, timer);
        }
        while let Some(&id) = self.overdue.last() {
            match self.undecided_above(id) {
                Some(top) if self.nodes.get(&top).is_some_and(|node| node.side == Side::Client) => {
                    return Some(top);
                }
                Some(top) => self.root(top),
                None => {
                    self.overdue.pop();
                }
            }
        }
        None
    }

    /// The exchanges that are ready to leave. `traces_itself` tells that of the process that acted
    /// then.
    pub fn take_ready(&mut self, traces_itself: impl Fn(&Moment) -> bool) -> Vec<Placed> {
        let ready = std::mem::take(&mut self.ready);
        let placed = ready.iter().filter_map(|&id| self.place(id, &traces_itself)).collect();
        // Not before all are placed: they look at each other.
        for id in ready {
            self.remove_if_done(id);
        }
        placed
    }

    /// What went otherwise than the trees show, by name.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 2] {
        [("late_evidence", self.late), ("trace_conflicts", self.conflicts)]
    }

    /// Exchanges left out on purpose: no loss.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// How many things are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.nodes.len() + self.timers.len() + self.ready.len() + self.overdue.len()
    }

    fn due(&mut self, id: ExchangeId, time: u64, timer: Timer) {
        let Some(node) = self.nodes.get(&id) else { return };
        match timer {
            Timer::Settled => {
                node.tree.wait(id);
                let alone = node.side == Side::Server && node.is_open();
                let overdue = time - self.patience.settle + self.patience.max_hold;
                self.timers.push(Reverse((overdue.max(time), id, Timer::Overdue)));
                if alone {
                    self.root(id);
                }
                self.release(id);
            }
            Timer::Overdue if node.exchange.is_some() => self.overdue.push(id),
            Timer::Overdue => {}
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

    fn link(
        &mut self,
        child: ExchangeId,
        parent: ExchangeId,
        method: &'static str,
        confidence: f64,
    ) {
        let above = self.nodes.get(&parent).map(|node| (node.tree.clone(), node.span, node.at));
        // One that is not known any more has left.
        let Some(node) = self.nodes.get_mut(&child) else {
            self.late += 1;
            return;
        };
        if !node.is_open() {
            self.late += 1;
            return;
        }
        let Some((tree, span, at)) = above else { return self.root(child) };
        if tree.same(&node.tree) || tree.join(&node.tree).is_err() {
            self.conflicts += 1;
            return self.root(child);
        }
        node.above = Some(Above { id: parent, at });
        node.parent = Parent::Span(span, method, confidence);
        self.release(child);
    }

    /// Nobody can say what a call was made for.
    pub fn root(&mut self, id: ExchangeId) {
        if let Some(node) = self.nodes.get_mut(&id)
            && node.is_open()
        {
            node.parent = Parent::None;
            node.tree.root();
            self.release(id);
        }
    }

    fn release(&mut self, id: ExchangeId) {
        if let Some(node) = self.nodes.get(&id) {
            self.ready.append(&mut node.tree.ready());
        }
    }

    fn above(&self, id: ExchangeId) -> impl Iterator<Item = (ExchangeId, &Node)> {
        let mut next = Some(id);
        std::iter::from_fn(move || {
            let id = next?;
            let node = self.nodes.get(&id)?;
            next = node.above.map(|above| above.id);
            Some((id, node))
        })
        .take(MAX_DEPTH)
    }

    /// Whether it, or what it was made for, came over a connection of the tracer's own.
    pub(super) fn is_own(&mut self, id: ExchangeId) -> bool {
        if self.nodes.get(&id).is_some_and(|node| node.tree.is_own()) {
            return true;
        }
        let own = self.above(id).map(|(_, node)| node.connection);
        let own = own.filter(|connection| self.own.contains(connection)).last();
        own.is_some_and(|connection| self.own.promote(&connection))
    }

    fn undecided_above(&self, id: ExchangeId) -> Option<ExchangeId> {
        let node = self.nodes.get(&id)?;
        node.exchange.as_ref()?;
        // All but the top have a parent, or they would be in a tree of their own.
        let top = node.tree.top();
        self.nodes.get(&top).is_some_and(Node::is_open).then_some(top)
    }
}

#[cfg(test)]
#[path = "assembly_tests.rs"]
mod tests;
