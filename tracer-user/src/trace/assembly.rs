//! Joins exchanges into traces and says when each is ready to leave.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::causality::Decision;
use crate::exchange::{
    ConnectionKey, Exchange, ExchangeId, Incomplete, PairKey, Reasons, Side, Signal,
};
use crate::protocol::propagation::Context;

use super::clock::Clocks;
use super::ids::span_id;
use super::spells::Spells;
use super::tree::Tree;
use super::{Clock, SpanId, TraceId};

/// An exchange with its place in a trace.
#[derive(Debug)]
pub struct Placed {
    /// What was seen.
    pub exchange: Box<Exchange>,
    /// Its trace.
    pub trace_id: TraceId,
    /// Its span's id.
    pub span_id: SpanId,
    /// Its parent's.
    pub parent: Option<SpanId>,
    /// How the parent was found, and how sure that is.
    pub edge: Option<(&'static str, f64)>,
    /// The context that came with the request.
    pub context: Option<Box<Context>>,
    /// Process at the other end, if that was seen too.
    pub peer: Option<u32>,
    /// Nanoseconds of the boot clock; not after the peer's first read of the request.
    pub start: u64,
    /// The same; not after the peer's last read of the response.
    pub end: u64,
    /// Tells both. One for all spans of a tree: that of its top.
    pub clock: Clock,
    /// Of a tree's top: all that is missing in the tree, as far as was known when this one left.
    pub below: Reasons,
}

/// How long to wait; nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After an exchange's end, for its other end and for late evidence.
    pub settle: u64,
    /// After an exchange's end, for its ancestors to be decided.
    pub max_hold: u64,
}

#[derive(Debug)]
enum Parent {
    Open,
    None,
    Span(SpanId, &'static str, f64),
}

#[derive(Debug)]
struct Node {
    side: Side,
    pid: u32,
    key: PairKey,
    connection: ConnectionKey,
    started: u64,
    ended: Option<u64>,
    above: Option<ExchangeId>,
    peer: Option<Peer>,
    parent: Parent,
    context: Option<Box<Context>>,
    tree: Tree,
    exchange: Option<Box<Exchange>>,
    forgotten: bool,
}

/// The other end, as far as it was known when the two met: it may be gone when this one leaves.
#[derive(Clone, Copy, Debug)]
struct Peer {
    id: ExchangeId,
    pid: u32,
    started: u64,
}

/// The stage's first half; [`super::span`] is the second.
pub struct Assembly {
    patience: Patience,
    nodes: HashMap<ExchangeId, Node>,
    timers: BinaryHeap<Reverse<(u64, ExchangeId, Timer)>>,
    ready: Vec<ExchangeId>,
    overdue: Vec<ExchangeId>,
    /// Those that were used last stay.
    own: LruCache<ConnectionKey, ()>,
    clocks: Clocks,
    /// When the wall clock was set.
    steps: Spells,
    /// When records were lost.
    full: Spells,
    late: u64,
    conflicts: u64,
    suppressed: u64,
    clock_steps: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Settled,
    Overdue,
}

/// The tracer's own connections that are remembered.
const MAX_OWN: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// Ancestors that are looked at for one that is suppressed, or that is undecided.
const MAX_DEPTH: usize = 256;

impl Assembly {
    /// An empty stage.
    #[must_use]
    pub fn new(patience: Patience, clock: Clock) -> Self {
        Self {
            patience,
            nodes: HashMap::new(),
            timers: BinaryHeap::new(),
            ready: vec![],
            overdue: vec![],
            own: LruCache::new(MAX_OWN),
            clocks: Clocks::new(clock),
            steps: Spells::default(),
            full: Spells::default(),
            late: 0,
            conflicts: 0,
            suppressed: 0,
            clock_steps: 0,
        }
    }

    /// A connection of the tracer's own: what happens at its other end, and because of that, is not
    /// traced.
    pub fn own_connection(&mut self, connection: ConnectionKey) {
        self.own.put(connection, ());
    }

    /// Records of whatever process were lost between these boot times.
    pub fn lost(&mut self, since: u64, until: u64) {
        self.full.add(since, until);
    }

    /// Between these boot times the wall clock was set; traces that start later are told by `clock`.
    pub fn clock_stepped(&mut self, since: u64, until: u64, clock: Clock) {
        self.clock_steps += 1;
        self.clocks.step(until.saturating_add(1), clock);
        self.steps.add(since, until);
    }

    /// Takes what the exchange stage says, in order.
    pub fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Started { id, side, at, key, connection, .. } => {
                let node = Node {
                    side,
                    pid: at.pid,
                    key,
                    connection,
                    started: at.time,
                    ended: None,
                    above: None,
                    peer: None,
                    parent: Parent::Open,
                    context: None,
                    tree: Tree::new(key, at.time),
                    exchange: None,
                    forgotten: false,
                };
                self.nodes.insert(id, node);
            }
            Signal::Head { id, context: Some(context) } => {
                if let Some(node) = self.nodes.get_mut(&id) {
                    node.tree.carry(id.0, &context);
                    node.context = Some(context);
                }
            }
            Signal::Paired { client, server } => {
                for (id, peer) in [(client, server), (server, client)] {
                    let Some(other) = self.nodes.get(&peer) else { continue };
                    let peer = Peer { id: peer, pid: other.pid, started: other.started };
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
            | Signal::Left { .. }
            | Signal::Refused { .. } => {}
        }
    }

    /// Takes a decision on a call's parent.
    pub fn decided(&mut self, decision: Decision) {
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

    /// The exchanges that are ready to leave.
    pub fn take_ready(&mut self) -> Vec<Placed> {
        let ready = std::mem::take(&mut self.ready);
        ready.iter().for_each(|&id| self.mark(id));
        let placed = ready.iter().filter_map(|&id| self.place(id)).collect();
        // Not before all are placed: they look at each other.
        for id in ready {
            self.remove_if_done(id);
        }
        placed
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

    /// Exchanges left out because the tracer's own exports caused them: no loss.
    #[must_use]
    pub fn suppressed(&self) -> u64 {
        self.suppressed
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
                let alone = node.side == Side::Server && matches!(node.parent, Parent::Open);
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
        if self.nodes.get(&id).is_some_and(done) {
            self.nodes.remove(&id);
        }
    }

    fn link(
        &mut self,
        child: ExchangeId,
        parent: ExchangeId,
        method: &'static str,
        confidence: f64,
    ) {
        let above =
            self.nodes.get(&parent).map(|node| (node.tree.clone(), span_id(node.key, node.side)));
        // One that is not known any more has left.
        let Some(node) = self.nodes.get_mut(&child) else {
            self.late += 1;
            return;
        };
        if !matches!(node.parent, Parent::Open) {
            self.late += 1;
            return;
        }
        let Some((tree, span)) = above else { return self.root(child) };
        if tree.same(&node.tree) || tree.join(&node.tree).is_err() {
            self.conflicts += 1;
            return self.root(child);
        }
        node.above = Some(parent);
        node.parent = Parent::Span(span, method, confidence);
        self.release(child);
    }

    fn root(&mut self, id: ExchangeId) {
        if let Some(node) = self.nodes.get_mut(&id)
            && matches!(node.parent, Parent::Open)
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
            next = node.above;
            Some((id, node))
        })
        .take(MAX_DEPTH)
    }

    /// Whether it, or what it was made for, came over a connection of the tracer's own.
    fn is_own(&mut self, id: ExchangeId) -> bool {
        let own = self.above(id).map(|(_, node)| node.connection);
        let own = own.filter(|connection| self.own.contains(connection)).last();
        own.is_some_and(|connection| self.own.promote(&connection))
    }

    fn undecided_above(&self, id: ExchangeId) -> Option<ExchangeId> {
        self.nodes.get(&id)?.exchange.as_ref()?;
        self.above(id).find(|(_, node)| matches!(node.parent, Parent::Open)).map(|(id, _)| id)
    }

    /// Adds what went wrong while an exchange was open, and tells its tree.
    fn mark(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let Some(exchange) = &mut node.exchange else { return };
        let (started, ended) = (exchange.started.time, exchange.ended.time);
        if self.full.touch(started, ended) {
            exchange.incomplete.insert(Incomplete::RingFull);
        }
        // The whole trace has the clock of its beginning, so a step before it counts as well.
        if self.steps.touch(started.min(node.tree.started()), ended) {
            exchange.incomplete.insert(Incomplete::ClockStep);
        }
        node.tree.lack(exchange.incomplete);
    }

    fn place(&mut self, id: ExchangeId) -> Option<Placed> {
        let tree = self.nodes.get(&id)?.tree.clone();
        if tree.is_own() || self.is_own(id) {
            tree.disown();
            self.suppressed += 1;
            self.nodes.get_mut(&id)?.exchange = None;
            return None;
        }
        let peer = self.nodes.get(&id)?.peer;
        let read = peer.and_then(|peer| self.nodes.get(&peer.id)?.ended);
        let node = self.nodes.get_mut(&id)?;
        let exchange = node.exchange.take()?;
        let (mut start, mut end) = (exchange.started.time, exchange.ended.time);
        match (node.side, peer) {
            (Side::Client, Some(peer)) => start = start.min(peer.started),
            (Side::Server, Some(_)) => end = read.map_or(end, |read| end.min(read)),
            (_, None) => {}
        }
        let (parent, edge) = match node.parent {
            Parent::Span(span, method, confidence) => (Some(span), Some((method, confidence))),
            // A root's parent, if it has one, is whoever made the context that came with it.
            _ => match &node.context {
                Some(context) => (Some(SpanId(context.span_id)), Some(("header", 1.0))),
                None => (None, None),
            },
        };
        let top = !matches!(node.parent, Parent::Span(..));
        let placed = Placed {
            below: if top { node.tree.lacks() } else { Reasons::default() },
            clock: self.clocks.at(node.tree.started()),
            trace_id: node.tree.trace(),
            span_id: span_id(node.key, node.side),
            parent,
            edge,
            context: node.context.take(),
            peer: peer.map(|peer| peer.pid),
            start,
            end: end.max(start),
            exchange,
        };
        Some(placed)
    }
}
