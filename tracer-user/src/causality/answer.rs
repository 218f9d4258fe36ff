//! Evidence from the thread that answers: between two answers, it made the call, and what it answers
//! next is the request.
//!
//! Right for workers who are given requests by a thread that does nothing but read them (Puma's
//! reactor, servers that select with one thread and work with many). Where threads are shared, all of
//! them read, calls of a thread are older than the request that it answers next as often as not, and
//! it does not wait for its calls: that is counted in the process.

use crate::connection::Moment;
use crate::exchange::ExchangeId;

use super::Scene;
use super::evidence::Testimony;
use super::node::Node;
use super::stage::Causality;

/// The thread did other things while it should have waited.
const HALF: f64 = 0.8;

impl Causality {
    /// A response is written: what its thread did before, it did for that, if it was given the request.
    pub(super) fn answered_by_worker(&mut self, id: ExchangeId, at: &Moment) {
        let Some(node) = self.nodes.get(&id) else { return };
        let Some(reader) = node.server().map(|server| server.reader) else { return };
        let since = node.started.order;
        let Some(process) = self.processes.at_mut(at) else { return };
        let calls = process.thread(at.tid).answers();
        if reader == (at.pid, at.tid) || calls.is_empty() {
            return;
        }
        let nodes = &self.nodes;
        let began = |call| nodes.get(call).map_or(0, |call: &Node| call.started.order);
        let only_reads = process.known_thread(reader.1).is_some_and(|reader| !reader.works);
        let all = only_reads && calls.iter().all(|call| began(call) > since);
        process.workers.observe(all);
        process.has_workers = true;
        for call in calls.iter().filter(|_| all) {
            if let Some(client) = self.nodes.get_mut(call).and_then(Node::client_mut) {
                client.answered = Some(id);
            }
        }
    }
}

pub(super) fn testify(scene: &Scene<'_>, call: &Node) -> Testimony {
    let named = call.client().and_then(|client| Some((client, scene.node(client.answered?)?)));
    let Some((client, server)) = named else { return Testimony::Silent };
    let Some(process) = scene.process(&call.started) else { return Testimony::Silent };
    let waits = if client.blocked == Some(true) { 1.0 } else { HALF };
    Testimony::Names(server.id, process.blocking.get().min(process.workers.get()) * waits)
}

/// Why it says nothing.
pub(super) fn silence(_: &Scene<'_>, _: &Node) -> &'static str {
    "its thread did not next answer a request that another thread had read"
}
