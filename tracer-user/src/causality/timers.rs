//! When a call is decided and when an exchange is forgotten.

use std::cmp::Reverse;

use crate::exchange::{ExchangeId, Side};

use super::hearing::hear;
use super::node::{Client, Node, Role};
use super::resolver::{Provenance, decision, weigh};
use super::stage::{Causality, LINGER};
use super::strength::{confirmed, named};
use super::{context, correlation, forward, header, thread};

/// Evidence of one call alone decides if it is so sure; else the times are asked.
const ENOUGH: f64 = 0.9;
/// How long a call waits until it is looked at again with others.
const AGAIN: u64 = 250_000_000;

impl Causality {
    /// An exchange's time has come: to be decided, to be looked at again, or to be forgotten.
    pub(super) fn ripe(&mut self, id: ExchangeId, now: u64) {
        let Some(node) = self.nodes.get(&id) else { return };
        let Some(ended) = node.ended else { return };
        let settled = ended + self.settings.settle;
        let again = match &node.role {
            Role::Client(client) if !client.decided => {
                let waits = match client.deferred {
                    true => None,
                    false => self.waits_for(node, client, now),
                };
                match waits {
                    Some(again) if now < ended + self.settings.max_hold => again,
                    _ => self.resolve(id, now),
                }
            }
            Role::Client(_) if now < settled + LINGER => settled + LINGER,
            Role::Server(_) if now < settled + LINGER => settled + LINGER,
            // Looked at again when the last of these calls is decided.
            Role::Server(server) if server.pins > 0 => return,
            _ => return self.forget(id),
        };
        self.timers.push(Reverse((again, id)));
    }

    /// When to look again at a call whose possible causes are still open or unsettled.
    fn waits_for(&self, node: &Node, client: &Client, now: u64) -> Option<u64> {
        let scene = self.scene();
        let named = client.suspects.iter().filter_map(|&id| scene.node(id));
        let carried = node
            .context
            .as_ref()
            .map(|context| scene.of_trace(node.started.pid, &context.trace_id));
        let ids = node.correlation.ids();
        let correlated = ids.flat_map(|id| scene.correlated.requests(node.started.pid, id));
        named
            .chain(carried.into_iter().flatten())
            .chain(correlated.filter_map(|id| scene.node(id)))
            .filter_map(|request| match request.ended {
                None => Some(now + self.settings.settle),
                Some(ended) => Some(ended + self.settings.settle).filter(|&settled| settled > now),
            })
            .max()
    }

    /// Decides a call, alone if there is evidence enough, else together with others. Returns when to
    /// look at it again.
    fn resolve(&mut self, id: ExchangeId, now: u64) -> u64 {
        let Some(node) = self.nodes.get(&id) else { return now };
        let deferred = node.client().is_some_and(|client| client.deferred);
        if deferred {
            self.decide_together(id, now);
        } else {
            let enough = self.settings.min_confidence.max(ENOUGH);
            if let Some(parent) = weigh(&self.scene(), node, enough) {
                self.conclude(id, Some(parent));
            } else if !node.sealed
                && let Some(again) = self.defer(id, now)
            {
                return again;
            }
        }
        let node = self.nodes.get(&id);
        let waits =
            node.and_then(Node::client).is_some_and(|client| client.deferred && !client.decided);
        let held =
            node.and_then(|node| node.ended).map_or(0, |ended| ended + self.settings.max_hold);
        if waits && now < held {
            return now + AGAIN;
        }
        self.decide(id);
        now + LINGER
    }

    /// Decides a call by what witnesses say of it alone.
    pub(super) fn decide(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        let parent = weigh(&self.scene(), node, self.settings.min_confidence);
        self.conclude(id, parent);
    }

    /// A call is decided.
    pub(super) fn conclude(
        &mut self,
        id: ExchangeId,
        parent: Option<(ExchangeId, &'static str, f64)>,
    ) {
        let Some(node) = self.nodes.get(&id) else { return };
        let Some(client) = node.client().filter(|client| !client.decided) else { return };
        if !client.deferred && !node.sealed {
            self.time_settled(id, parent.map(|parent| parent.0));
        }
        let Some(node) = self.nodes.get(&id) else { return };
        let scene = self.scene();
        let mut decision = decision(node, parent);
        if self.explain {
            decision.hearing = Some(Box::new(hear(&scene, node, parent)));
        }
        let in_context = confirmed(&scene, node, context::testify, &[header::testify]);
        let judges = [header::testify, context::testify, thread::testify];
        let correlated = confirmed(&scene, node, correlation::testify, &judges);
        let mistaken = forward::mistaken(&scene, node, || named(&scene, node, &judges));
        let callee = node.callee;
        if let (Some((request, ..)), Some(context)) = (decision.parent, &node.context)
            && self.origins.caused(context, node.started.pid, request)
        {
            decision.context = Provenance::Constant;
            if let Some(process) = self.processes.at_mut(&node.started) {
                process.instrumented.sent_constant();
            }
        }
        let started = node.started;
        if let (Some(right), Some(process)) = (in_context, self.processes.at_mut(&started)) {
            process.contexts.right.observe(right);
        }
        if let (Some(right), Some(process)) = (correlated, self.processes.at_mut(&started)) {
            process.correlated.observe(right);
        }
        if let (true, Some(process)) = (mistaken, self.processes.at_mut(&started)) {
            process.passes_on(callee, false);
        }
        self.decisions.push(decision);
        self.release_suspects(id);
    }

    /// A call is decided, or is none: the requests that it may have belonged to may be forgotten.
    pub(super) fn release_suspects(&mut self, id: ExchangeId) {
        let Some(client) = self.nodes.get_mut(&id).and_then(Node::client_mut) else { return };
        client.decided = true;
        for request in std::mem::take(&mut client.suspects) {
            if let Some(server) = self.server(request) {
                server.pins = server.pins.saturating_sub(1);
                if server.pins == 0 {
                    self.timers.push(Reverse((0, request)));
                }
            }
        }
    }

    pub(super) fn forget(&mut self, id: ExchangeId) {
        let Some(node) = self.nodes.remove(&id) else { return };
        self.forgotten.push(id);
        if let (Some(server), Some(process)) = (node.server(), self.processes.at_mut(&node.started))
        {
            let contexts = server.contexts.iter().flatten();
            contexts.for_each(|&context| process.contexts.forget(context, id));
        }
        if node.side == Side::Server {
            self.correlated.forget(node.started.pid, &node.correlation, &node.answer, id);
        }
        if let (Side::Server, Some(target)) = (node.side, node.target) {
            self.targets.forget(node.started.pid, target, id);
        }
        if let (Side::Server, Some(context)) = (node.side, node.context) {
            let carrier = (node.started.pid, context.trace_id);
            if let Some(ids) = self.carriers.get_mut(&carrier) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.carriers.remove(&carrier);
                }
            }
        }
    }
}
