//! Edges: which exchange gets which parent, and when that can wait no longer.

use std::cmp::Reverse;

use crate::causality::{Decision, Provenance};
use crate::exchange::{ExchangeId, Side};

use super::assembly::{Assembly, Timer};
use super::node::{Above, Node, Parent};

/// Ancestors that are looked at for one that is the tracer's own.
const MAX_DEPTH: usize = 256;

impl Assembly {
    /// Takes a decision on a call's parent.
    pub fn decided(&mut self, decision: Decision) {
        let span = |id: ExchangeId| self.nodes.get(&id).map(|node| node.span);
        if let (Some(call), Some(hearing)) = (span(decision.call), &decision.hearing) {
            self.hearings.push((call, hearing.rename(span)));
        }
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

    pub(super) fn link(
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

    /// It and the exchanges above it, as far as they are still known.
    pub(super) fn above(&self, id: ExchangeId) -> impl Iterator<Item = (ExchangeId, &Node)> {
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
        let served = self.above(id).filter(|(_, node)| node.side == Side::Server);
        let own = served.map(|(_, node)| node.connection);
        let own = own.filter(|connection| self.own.contains(connection)).last();
        own.is_some_and(|connection| self.own.promote(&connection))
    }

    /// Whether the tracer itself is asked: a look at its page, or spans that are sent to it. What
    /// caused that is traced as anything else.
    pub(super) fn is_to_us(&mut self, id: ExchangeId) -> bool {
        let node = self.nodes.get(&id).filter(|node| node.side == Side::Client);
        node.is_some_and(|node| self.own.promote(&node.connection))
    }

    fn undecided_above(&self, id: ExchangeId) -> Option<ExchangeId> {
        let node = self.nodes.get(&id)?;
        node.exchange.as_ref()?;
        // All but the top have a parent, or they would be in a tree of their own.
        let top = node.tree.top();
        self.nodes.get(&top).is_some_and(Node::is_open).then_some(top)
    }
}
